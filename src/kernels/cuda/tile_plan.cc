#include "kernels/cuda/tile_plan.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace caravel::kernels::cuda {
namespace {

using Parts = std::span<const PackedWeight::Part>;

constexpr int kKilobyte = 1024;
constexpr int kMaxSteps = 16;
constexpr int kBarrierBytes = 4 * 8 * kMaxSteps;  // two for each slot of either ring

/// Sums of a pass, and a factor of each token.
int staging_bytes(const TilePlan& plan) {
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

void count_tiles(TilePlan& plan, Parts parts, bool paired) {
  const int groups_of_tile = plan.groups * (paired ? 1 : plan.warpgroups);
  plan.row_tiles = 0;
  for (size_t i = 0; i < (paired ? 1 : parts.size()); ++i) {
    plan.part_tiles[i] = static_cast<int>((row_groups(parts[i].rows) + groups_of_tile - 1) / groups_of_tile);
    plan.row_tiles += plan.part_tiles[i];
  }
}

/// Cycles of an SM for a block of 64 inputs of a tile, by what takes longest: bytes from memory (once for all tiles of
/// the same rows, which find them in the L2 cache) and from L2, shared memory, the tensor cores, and the converters.
int64_t block_cycles(const TilePlan& plan, int block_bytes) {
  constexpr int kMemoryBytes = 19;  // a cycle
  constexpr int kCacheBytes = 55;
  constexpr int kSharedBytes = 100;
  const int converter_cycles = plan.tokens <= 32 ? 26 : plan.tokens <= 64 ? 32 : 64;  // of a group
  const int groups = plan.groups * plan.warpgroups;
  const int weights = groups * block_bytes;
  const int tokens = plan.tokens * 128;
  const int memory = weights / (kMemoryBytes * plan.token_tiles);
  const int cache = (weights + tokens) / kCacheBytes;
  // Each warpgroup reads 64 rows and all tokens of what came.
  const int shared = (weights + tokens + plan.warpgroups * (8 * kKilobyte + tokens)) / kSharedBytes;
  const int products = 4 * plan.warpgroups * std::max(16, plan.tokens / 2);
  return std::max({memory, cache, shared, products, plan.converts ? groups * converter_cycles : 0});
}

/// Tile sizes that finish soonest on so many SMs.
void choose_tile(TilePlan& plan, Parts parts, int64_t blocks, int64_t tokens, bool paired, int num_sms) {
  constexpr int64_t kTileCycles = 1500;  // the ring's start and an epilogue of few tokens
  constexpr int64_t kTokenCycles = 10;   // of an epilogue
  constexpr int kLeastOfMany = 64;       // tokens of a tile where there could be more
  const int block_bytes = most_block_bytes(parts);
  const int64_t most_tokens = std::min<int64_t>(tokens, plan.converts ? 128 : 256);
  const bool pairs = std::any_of(parts.begin(), parts.end(), [](const PackedWeight::Part& part) {
    return group_order(part.heads, part.dtype).half > 0;
  });
  int64_t least = std::numeric_limits<int64_t>::max();
  TilePlan best;
  for (plan.tokens = 8; plan.tokens < 2 * most_tokens || plan.tokens == 8; plan.tokens *= 2) {
    if (plan.tokens < std::min<int64_t>(tokens, kLeastOfMany)) continue;
    plan.token_tiles = static_cast<int>((tokens + plan.tokens - 1) / plan.tokens);
    for (plan.warpgroups = paired ? 2 : 1; plan.warpgroups <= 2; ++plan.warpgroups) {
      for (plan.groups = 1; plan.groups <= 8; ++plan.groups) {
        if (pairs && plan.groups * plan.warpgroups % 2 != 0) continue;
        count_tiles(plan, parts, paired);
        const int64_t rounds = (int64_t{plan.tiles()} + num_sms - 1) / num_sms;
        const int64_t tile = block_cycles(plan, block_bytes) * blocks + kTileCycles + kTokenCycles * plan.tokens;
        if (rounds * tile < least) {
          least = rounds * tile;
          best = plan;
        }
      }
    }
  }
  plan = best;
}

/// Shared memory for one slot of the first ring more than `steps` slots take, so that what wgmma reads past a tile's
/// last row lies within it: it takes 64 rows of any tile.
int read_past(const TilePlan& plan) {
  const int reach = ((plan.warpgroups - 1) * plan.groups + 8) * plan.step_blocks * kKilobyte;
  return std::max(0, reach - plan.slot_bytes - staging_bytes(plan));
}

void size_slot(TilePlan& plan, int step_blocks) {
  plan.step_blocks = step_blocks;
  plan.weight_bytes = plan.warpgroups * plan.groups * step_blocks * kKilobyte;
  plan.slot_bytes = plan.weight_bytes + plan.tokens * step_blocks * 128;
}

/// Weights and tokens in one ring, of slots that are multiplied at once.
void fill_ring(TilePlan& plan, int budget) {
  size_slot(plan, unit_blocks(plan.tokens));
  plan.steps_ahead = std::min(kMaxSteps, (budget - read_past(plan)) / plan.slot_bytes);
}

/// A ring of weights as they are stored, and one of bf16 and tokens.
void fill_rings(TilePlan& plan, Parts parts, int budget) {
  int unit_blocks = 1;
  bool sixteen_bits = false;
  for (const PackedWeight::Part& part : parts) {
    unit_blocks = std::max(unit_blocks, tile_format(part.dtype).unit_blocks);
    sixteen_bits = sixteen_bits || dtype_info(part.dtype).block_bytes == 2;
  }
  // Twice as many blocks as need be, where three slots of them fit beside images of two: fewer copies bring as much.
  const int least_blocks = std::max(unit_blocks, sixteen_bits ? 2 : 4);
  const int groups = plan.warpgroups * plan.groups;
  for (plan.source_blocks = 2 * least_blocks; plan.source_blocks >= least_blocks; plan.source_blocks /= 2) {
    plan.source_stride = 0;
    for (const PackedWeight::Part& part : parts) {
      const TileFormat format = tile_format(part.dtype);
      plan.source_stride = std::max(plan.source_stride, plan.source_blocks / format.unit_blocks * format.unit_bytes);
    }
    plan.source_bytes = (groups * plan.source_stride + kKilobyte - 1) / kKilobyte * kKilobyte;
    const bool least = plan.source_blocks == least_blocks;
    for (int step = std::min(8, plan.source_blocks); step >= (least ? 1 : 2); step /= 2) {
      size_slot(plan, step);
      const int left = budget - read_past(plan) - 3 * plan.slot_bytes;
      plan.sources_ahead = std::min(kMaxSteps, left / plan.source_bytes);
      if (plan.sources_ahead >= 3) break;
    }
    if (least || plan.sources_ahead >= 3) break;
  }
  const int left = budget - read_past(plan) - plan.sources_ahead * plan.source_bytes;
  plan.steps_ahead = std::min(4, left / plan.slot_bytes);
}

}  // namespace

TilePlan plan_tiles(Parts parts, int64_t in, int64_t tokens, bool paired, int num_sms, int max_shared_bytes) {
  TilePlan plan;
  for (const PackedWeight::Part& part : parts) plan.converts = plan.converts || part.dtype != DType::kBF16;
  const int64_t blocks = input_blocks(in);
  choose_tile(plan, parts, blocks, tokens, paired, num_sms);
  const int budget = max_shared_bytes - staging_bytes(plan) - kBarrierBytes;
  if (plan.converts) {
    fill_rings(plan, parts, budget);
  } else {
    fill_ring(plan, budget);
  }
  plan.source_begin = plan.steps_ahead * plan.slot_bytes;
  plan.staging_begin = plan.source_begin + plan.sources_ahead * plan.source_bytes;
  plan.barriers_begin = plan.staging_begin + staging_bytes(plan);
  // More than half of an SM's, so that blocks never share one while another has none.
  plan.shared_bytes = std::max(plan.barriers_begin + kBarrierBytes + read_past(plan), max_shared_bytes / 2 + kKilobyte);
  CARAVEL_CHECK_GE(plan.steps_ahead, 2);
  CARAVEL_CHECK(!plan.converts || (plan.sources_ahead >= 2 && plan.steps_ahead >= kConverterTeams));
  CARAVEL_CHECK_LE(plan.shared_bytes, max_shared_bytes);
  return plan;
}

}  // namespace caravel::kernels::cuda
