#include "kernels/cuda/tile_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace caravel::kernels::cuda {
namespace {

using Parts = std::span<const PackedWeight::Part>;

constexpr int kKilobyte = 1024;
constexpr int kMaxSteps = 16;
constexpr int kBarrierBytes = 4 * 8 * kMaxSteps + 16;  // two for each slot of all rings, and for sums
constexpr int kScaleBytes = 16 * kScalePlaces;         // of a warp

/// Sums of a pass, and a factor of each token.
int staging_bytes(const TilePlan& plan) {
  if (!plan.converts && plan.tokens >= kManyTokens) {
    return plan.warpgroups * (std::min(plan.tokens, kStagedTokens) * kPartStride + 2 * plan.tokens) * 4;
  }
  return (std::min(plan.tokens, kStagedTokens) * kStagedStride + plan.tokens) * 4;
}

/// Bytes of a group for a block of 64 inputs, rounded up; the most of all parts.
int most_block_bytes(Parts parts) {
  int most = 0;
  for (const PackedWeight::Part& part : parts) {
    const TileFormat format = tile_format(part.dtype);
    most = std::max(most, (format.unit_bytes + format.unit_blocks - 1) / format.unit_blocks);
  }
  return most;
}

/// Of a tile's rows, those of both parts of a paired one.
int groups_of_slot(const TilePlan& plan) { return plan.groups * (plan.in_turn ? 2 : plan.warpgroups); }

void count_tiles(TilePlan& plan, Parts parts, bool paired) {
  const int groups_of_tile = plan.groups * (paired ? 1 : plan.warpgroups);
  plan.row_tiles = 0;
  for (size_t i = 0; i < (paired ? 1 : parts.size()); ++i) {
    plan.part_tiles[i] = static_cast<int>((row_groups(parts[i].rows) + groups_of_tile - 1) / groups_of_tile);
    plan.row_tiles += plan.part_tiles[i];
  }
}

/// What is known before the router has run.
struct Expected {
  double matrices;  // that have rows
  int64_t tokens;   // of each
};

Expected expected(const TokenLoad& load) {
  if (load.experts == 0) return {1, load.tokens};
  // As routers choose that have no favourites.
  const double unchosen = 1 - static_cast<double>(load.per_token) / load.experts;
  const double chosen = load.experts * (1 - std::pow(unchosen, static_cast<double>(load.tokens)));
  const double matrices = std::max(1.0, std::round(chosen));
  return {matrices, static_cast<int64_t>(std::ceil(static_cast<double>(load.rows()) / matrices))};
}

/// Tiles of so many tokens that a matrix takes.
double expected_token_tiles(const TokenLoad& load, const Expected& expected, int tile_tokens) {
  if (load.experts == 0) return static_cast<double>((load.tokens + tile_tokens - 1) / tile_tokens);
  if (load.tokens <= tile_tokens) return 1;
  // The last is half full, and some experts have more than others.
  return std::max(1.0, 0.5 + 1.25 * static_cast<double>(expected.tokens) / tile_tokens);
}

/// Rounds in which so many SMs make the tiles.
double expected_rounds(const TokenLoad& load, double tiles, int num_sms) {
  const double rounds = tiles / num_sms;
  // How many there are is known but for experts of several tokens: then the last round is half full.
  return load.experts == 0 || load.tokens == 1 ? std::ceil(rounds) : std::max(1.0, rounds + 0.5);
}

/// Cycles of an SM for a block of 64 inputs of a tile, by what takes longest: bytes from memory (once for all tiles of
/// the same rows, which find them in the L2 cache) and from L2, shared memory, the tensor cores, and what makes bf16.
int64_t block_cycles(const TilePlan& plan, double token_tiles, int block_bytes) {
  constexpr int kMemoryBytes = 19;  // a cycle
  constexpr int kCacheBytes = 55;
  constexpr int kSharedBytes = 100;
  // What lanes have to do for a block, to make weights and to multiply by them, as measured.
  const int made = plan.splits > 1 ? 50 + 26 * plan.groups + 4 * plan.tokens
                                   : 440 + 24 * plan.groups * plan.warpgroups + plan.tokens;
  const int groups = groups_of_slot(plan);
  const int weights = groups * block_bytes;
  const int tokens = plan.tokens * 128;
  const int memory = static_cast<int>(weights / (kMemoryBytes * token_tiles));
  const int cache = (weights + tokens) / kCacheBytes;
  // Each warpgroup reads 64 rows, where they are images, and all tokens of what came.
  const int images = plan.converts ? 0 : 8 * kKilobyte;
  const int shared = (weights + tokens + plan.warpgroups * (images + tokens)) / kSharedBytes;
  const int products = 4 * plan.warpgroups * std::max(16, plan.tokens / 2);
  return std::max({memory, cache, shared, products, plan.converts ? made : 0});
}

/// Cycles of a tile's epilogue that depend on its tokens, as measured.
int64_t epilogue_cycles(const TilePlan& plan) {
  if (!plan.converts || (plan.splits > 1 && parts_kept(plan.tokens) > 1)) return int64_t{10} * plan.tokens;
  return int64_t{plan.splits > 1 ? 50 : 190} * plan.tokens;
}

bool lay_out(TilePlan& plan, Parts weights, const TokenLoad& load, bool paired, int max_shared_bytes);

/// Tile sizes that finish soonest on so many SMs, of those that fit.
void choose_tile(TilePlan& plan, Parts parts, int64_t blocks, const TokenLoad& load, bool paired, int num_sms,
                 int max_shared_bytes) {
  constexpr int64_t kTileCycles = 1500;  // the ring's start and an epilogue of few tokens
  constexpr int kLeastOfMany = 64;       // tokens of a tile where there could be more
  const int block_bytes = most_block_bytes(parts);
  const Expected expected = cuda::expected(load);
  const int64_t most_tokens = std::min<int64_t>(load.tokens, plan.converts ? 128 : 256);
  const bool pairs = std::any_of(parts.begin(), parts.end(), [](const PackedWeight::Part& part) {
    return group_order(part.heads, part.dtype).half > 0;
  });
  double least = std::numeric_limits<double>::max();
  TilePlan best;
  for (const int size : {8, 16, 32, 64, 96, 128, 192, 256}) {
    if (size > 8 && size >= 2 * most_tokens) break;
    if (size < std::min<int64_t>(expected.tokens, kLeastOfMany)) continue;
    const bool between = size == 96 || size == 192;
    if (between && (plan.converts || load.experts > 0)) continue;
    plan.tokens = size;
    plan.token_tiles = static_cast<int>(most_token_tiles(load, plan.tokens));
    const double token_tiles = expected_token_tiles(load, expected, plan.tokens);
    for (const int splits : {1, kInputParts}) {
      const bool few = expected.tokens <= kLeastOfMany;
      if (plan.converts ? (splits > 1 ? !few : plan.tokens < kLeastOfMany) : splits > 1) continue;
      plan.splits = splits;
      const bool one_after_the_other = paired && splits > 1;
      const int most_warpgroups = splits > 1 ? 1 : 2;
      for (plan.warpgroups = paired ? most_warpgroups : 1; plan.warpgroups <= most_warpgroups; ++plan.warpgroups) {
        for (plan.groups = 1; plan.groups <= 8; ++plan.groups) {
          const bool many = !plan.converts && plan.tokens >= kManyTokens;
          if (pairs && plan.groups * (many ? 1 : plan.warpgroups) % 2 != 0) continue;
          plan.in_turn = paired && many;
          if (plan.in_turn) plan.warpgroups = plan.groups > kGroupPairs ? 2 : 1;
          count_tiles(plan, parts, paired);
          const double rounds = expected_rounds(load, expected.matrices * token_tiles * plan.row_tiles, num_sms);
          const int64_t tile =
              block_cycles(plan, token_tiles, block_bytes) * blocks + kTileCycles + epilogue_cycles(plan);
          const double cycles = rounds * static_cast<double>(tile * (one_after_the_other ? 2 : 1));
          if (cycles < least && (!plan.converts || lay_out(plan, parts, load, paired, max_shared_bytes))) {
            least = cycles;
            best = plan;
          }
        }
      }
    }
  }
  plan = best;
}

/// Shared memory for one slot of the first ring more than `steps` slots take, so that what wgmma reads past a tile's
/// last row lies within it: it takes 64 rows of any tile.
int read_past(const TilePlan& plan) {
  const int reach =
      ((plan.warpgroups - 1) * (plan.in_turn ? 2 * kGroupPairs : plan.groups) + 8) * plan.step_blocks * kKilobyte;
  return std::max(0, reach - plan.slot_bytes - staging_bytes(plan));
}

void size_slot(TilePlan& plan, int step_blocks) {
  plan.step_blocks = step_blocks;
  plan.weight_bytes = groups_of_slot(plan) * step_blocks * kKilobyte;
  plan.slot_bytes = plan.weight_bytes + plan.tokens * step_blocks * 128;
}

/// Weights and tokens in one ring, of slots that are multiplied at once.
void fill_ring(TilePlan& plan, int budget) {
  size_slot(plan, unit_blocks(plan.tokens));
  plan.steps_ahead = std::min(kMaxSteps, (budget - read_past(plan)) / plan.slot_bytes);
}

/// Rings of weights as they are stored and rings of tokens; whether they fit.
bool fill_rings(TilePlan& plan, Parts parts, int budget) {
  constexpr int kTileAlignment = 128;
  constexpr int kMostAhead = 4;
  plan.source_stride = 0;
  for (const PackedWeight::Part& part : parts) {
    const TileFormat format = tile_format(part.dtype);
    plan.source_stride = std::max(plan.source_stride, kSourceBlocks / format.unit_blocks * format.unit_bytes);
  }
  const auto aligned = [](int bytes) { return (bytes + kTileAlignment - 1) / kTileAlignment * kTileAlignment; };
  plan.source_bytes = plan.warpgroups * aligned(plan.groups * plan.source_stride);
  plan.step_blocks = token_blocks(plan.tokens);
  plan.weight_bytes = 0;
  plan.slot_bytes = plan.tokens * plan.step_blocks * 128;
  for (plan.sources_ahead = kMostAhead; plan.sources_ahead >= 2; --plan.sources_ahead) {
    const int left = budget - plan.splits * plan.sources_ahead * plan.source_bytes;
    plan.steps_ahead = std::min(kMostAhead, left / (plan.splits * plan.slot_bytes));
    if (plan.steps_ahead >= 3 || (plan.sources_ahead == 2 && plan.steps_ahead == 2)) return true;
  }
  return false;
}

/// Where everything lies in shared memory; whether it fits.
bool lay_out(TilePlan& plan, Parts weights, const TokenLoad& load, bool paired, int max_shared_bytes) {
  const int experts =
      load.experts > 0 ? static_cast<int>(std::min<int64_t>(load.experts, load.rows()) + 1) * kListedExpertBytes : 0;
  const int scales = plan.converts ? plan.consumers() / 32 * kScaleBytes : 0;
  const int parts = plan.splits > 1 ? parts_kept(plan.tokens) * plan.tokens * kPartStride * 4 : 0;
  const int staging = plan.splits == 1 ? staging_bytes(plan) : paired ? plan.tokens * kPartStride * 4 : 0;
  const int budget = max_shared_bytes - scales - parts - staging - kBarrierBytes - experts;
  if (!plan.converts) {
    fill_ring(plan, budget);
  } else if (!fill_rings(plan, weights, budget)) {
    return false;
  }
  plan.source_begin = plan.splits * plan.steps_ahead * plan.slot_bytes;
  plan.scales_begin = plan.source_begin + plan.splits * plan.sources_ahead * plan.source_bytes;
  plan.parts_begin = plan.scales_begin + scales;
  plan.staging_begin = plan.parts_begin + parts;
  plan.barriers_begin = plan.staging_begin + staging;
  plan.experts_begin = plan.barriers_begin + kBarrierBytes;
  const int past = plan.converts ? 0 : read_past(plan);
  // More than half of an SM's, so that blocks never share one while another has none.
  plan.shared_bytes = std::max(plan.experts_begin + experts + past, max_shared_bytes / 2 + kKilobyte);
  return true;
}

}  // namespace

int64_t most_token_tiles(const TokenLoad& load, int tile_tokens) {
  if (load.experts == 0) return (load.tokens + tile_tokens - 1) / tile_tokens;
  const int64_t first = std::min<int64_t>(load.experts, load.rows());
  return load.tokens <= tile_tokens ? first : first + load.rows() / tile_tokens;
}

TilePlan plan_tiles(Parts parts, int64_t in, const TokenLoad& load, bool paired, int num_sms, int max_shared_bytes) {
  TilePlan plan;
  for (const PackedWeight::Part& part : parts) plan.converts = plan.converts || part.dtype != DType::kBF16;
  const int64_t blocks = input_blocks(in);
  choose_tile(plan, parts, blocks, load, paired, num_sms, max_shared_bytes);
  CARAVEL_CHECK(lay_out(plan, parts, load, paired, max_shared_bytes));
  CARAVEL_CHECK_GE(plan.steps_ahead, 2);
  CARAVEL_CHECK_LE(plan.shared_bytes, max_shared_bytes);
  return plan;
}

}  // namespace caravel::kernels::cuda
