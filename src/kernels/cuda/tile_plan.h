#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/tile_layout.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels::cuda {

inline constexpr int kConverterTeams = 2;
/// As many as leave the sums of a tile's tokens their registers: 32, 24 or 16 warps in all.
constexpr int converter_warps(int tokens) { return tokens <= 32 ? 22 : tokens <= 64 ? 14 : 6; }
/// Blocks of 64 inputs that are multiplied without a look at the ring: all of a slot, where no converter fills it.
constexpr int unit_blocks(int tokens) { return tokens <= 16 ? 4 : tokens <= 64 ? 2 : 1; }
/// Threads of the two warps that ask for weights and tokens: a whole warpgroup where that is to hand on its registers.
constexpr int asking_threads(int tokens) { return tokens == 256 ? 128 : 64; }
inline constexpr int kStagedTokens = 32;  // of an epilogue's pass
// Floats of a token's sums in a pass: 64 rows of two warpgroups, and four that keep lanes out of each other's banks.
inline constexpr int kStagedStride = 132;

/// How tile_gemm() goes about a weight and a number of tokens. None of it changes a bit of a sum: it says which block
/// of threads makes it when, and how far ahead bytes are asked for.
struct TilePlan {
  int tokens = 0;         // of a tile: 8, 16, 32, 64, 128 or, of BF16 weights, 256; the N of wgmma
  bool converts = false;  // weights pass through converter warps, which make bf16 of them
  int warpgroups = 0;     // 1 or 2, each with rows of its own
  int groups = 0;         // of eight rows, of a warpgroup: 1 to 8
  int step_blocks = 0;    // of 64 inputs, of a slot of the ring that the tensor cores read
  int steps_ahead = 0;    // slots of that ring
  int source_blocks = 0;  // of a slot of the ring that converters read, as many as make whole units
  int sources_ahead = 0;
  int source_stride = 0;  // bytes of a group there
  int part_tiles[PackedWeight::kMaxParts] = {};
  int row_tiles = 0;
  int token_tiles = 0;
  // Where things lie in shared memory, which begins with the ring; bytes.
  int weight_bytes = 0;  // of a slot; the tokens' follow
  int slot_bytes = 0;
  int source_begin = 0;
  int source_bytes = 0;  // of a slot
  int staging_begin = 0;
  int barriers_begin = 0;
  int shared_bytes = 0;

  int consumers() const { return 128 * warpgroups; }
  int threads() const { return consumers() + (converts ? 32 * converter_warps(tokens) : 0) + asking_threads(tokens); }
  int tiles() const { return row_tiles * token_tiles; }
};

/// paired: the first part's rows and the second's make tiles together, a warpgroup each (gate and up).
TilePlan plan_tiles(std::span<const PackedWeight::Part> parts, int64_t in, int64_t tokens, bool paired, int num_sms,
                    int max_shared_bytes);

}  // namespace caravel::kernels::cuda
