#pragma once

#include <cstdint>
#include <span>

#include "base/host_device.h"
#include "kernels/cuda/tile_layout.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels::cuda {

/// Blocks of 64 inputs of a slot of BF16, which are multiplied without a look at the ring.
CARAVEL_HOST_DEVICE constexpr int unit_blocks(int tokens) { return tokens <= 16 ? 4 : tokens <= 64 ? 2 : 1; }
/// From so many tokens of a BF16 tile on its epilogue would take a tenth of the time: see WarpgroupStore. Fewer tokens'
/// kernels are kept small, since what they take longest for is how they begin and end.
inline constexpr int kManyTokens = 96;
/// Threads of the two warps that ask for weights and tokens: a whole warpgroup where that is to hand on its registers.
CARAVEL_HOST_DEVICE constexpr int asking_threads(int tokens) { return tokens >= kManyTokens ? 128 : 64; }
inline constexpr int kStagedTokens = 32;  // of an epilogue's pass
// Floats of a token's sums in a pass: 64 rows of two warpgroups, and four that keep lanes out of each other's banks.
inline constexpr int kStagedStride = 132;

inline constexpr int kPartStride = 68;  // floats of a token's sums of 64 rows, as one of the splits makes them

/// A sum over weights that are not BF16 has this many parts, of neighbouring inputs, each in order.
inline constexpr int kInputParts = 4;
inline constexpr int kSourceBlocks = 4;  // of 64 inputs, of a slot of such weights: the least that holds whole units
/// The blocks of 64 inputs of a slot of tokens beside such weights.
CARAVEL_HOST_DEVICE constexpr int token_blocks(int tokens) { return tokens <= 16 ? 4 : tokens == 32 ? 2 : 1; }
/// Up to so many tokens of a tile beside such weights each warp multiplies by mma, which waits for no other warp: the
/// same bits as wgmma's, where both take the same inputs, sixteen at a time, in the same order.
inline constexpr int kWarpTokens = 16;
/// Rows of inputs that lie in shared memory for a block of 64 of them. Of few tokens, which are one tile's, no more
/// than there are: what a box has of rows that are not there takes long to come.
CARAVEL_HOST_DEVICE constexpr int token_rows(int tile_tokens, int tokens) {
  return tile_tokens <= kWarpTokens && tokens < tile_tokens ? tokens : tile_tokens;
}
/// Where a warp has the scales of a block of a slot, of a row of its group `half` of two; its last place is free, so
/// that lanes of four blocks write side by side.
inline constexpr int kScalePlaces = kSourceBlocks * (2 * kGroupRows + 1);
CARAVEL_HOST_DEVICE constexpr int scale_place(int block, int half, int row) {
  return block * (2 * kGroupRows + 1) + half * kGroupRows + row;
}
/// Of how many splits' sums there is room: all, or one, to which they add in turn.
CARAVEL_HOST_DEVICE constexpr int parts_kept(int tokens) { return tokens <= 32 ? kInputParts : 1; }
/// The first slot of a part of the inputs, of so many slots.
CARAVEL_HOST_DEVICE constexpr int part_begin(int part, int slots) { return slots * part / kInputParts; }

/// Of an expert that has rows, in the list that a block of threads makes of them (expert_list.cuh).
inline constexpr int kListedExpertBytes = 16;

/// Rows of inputs that a weight is multiplied by.
struct TokenLoad {
  int64_t tokens = 0;  // that a matrix has, at most
  // Of a weight of experts, for each of which that many of the tokens are known once the router has run:
  int experts = 0;
  int per_token = 0;

  int64_t rows() const { return experts > 0 ? tokens * per_token : tokens; }
};

/// Tiles of so many tokens that a weight's rows of inputs take, at most.
int64_t most_token_tiles(const TokenLoad& load, int tile_tokens);

/// Pairs of groups of a warpgroup, where they come in turn.
inline constexpr int kGroupPairs = 4;

/// How tile_gemm() and fragment_gemm() go about a weight and a number of tokens. None of it changes a bit of a sum: it
/// says which block of threads makes it when, and how far ahead bytes are asked for.
struct TilePlan {
  int tokens = 0;         // of a tile: 8, 16, 32, 64, 128 or, of BF16 weights, 256; of one matrix, 96 and 192, too
  bool converts = false;  // weights become bf16 in registers: fragment_gemm()
  int splits = 1;         // warpgroups with the same rows, each a part of the inputs
  int warpgroups = 0;     // 1 or 2, each with rows of its own
  bool in_turn = false;   // groups of a paired tile's two parts lie in turn, the first four of either a warpgroup's
  int groups = 0;         // of eight rows, of a warpgroup: 1 to 8; in turn: of a tile, of either part
  int step_blocks = 0;    // of 64 inputs, of a slot of the ring that the tensor cores read
  int steps_ahead = 0;    // slots of that ring, of which there is one for each of `splits`
  int sources_ahead = 0;  // slots of the ring of weights that are not BF16, one for each of `splits` as well
  int source_stride = 0;  // bytes of a group there, the most of all parts
  int part_tiles[PackedWeight::kMaxParts] = {};
  int row_tiles = 0;    // of a matrix
  int token_tiles = 0;  // of one, or of all experts at most
  // Where things lie in shared memory, which begins with the rings; bytes.
  int weight_bytes = 0;  // of a slot; the tokens' follow
  int slot_bytes = 0;
  int source_begin = 0;
  int source_bytes = 0;  // of a slot
  int scales_begin = 0;
  int parts_begin = 0;  // sums of splits
  int staging_begin = 0;
  int barriers_begin = 0;
  int experts_begin = 0;  // list_experts()
  int shared_bytes = 0;

  int consumers() const { return 128 * warpgroups * splits; }
  int threads() const { return consumers() + (converts ? 128 : asking_threads(tokens)); }
  int tiles() const { return row_tiles * token_tiles; }
};

/// paired: the first part's rows and the second's make tiles together (gate and up): a warpgroup each, or one after the
/// other where warpgroups split the inputs.
TilePlan plan_tiles(std::span<const PackedWeight::Part> parts, int64_t in, const TokenLoad& load, bool paired,
                    int num_sms, int max_shared_bytes);

}  // namespace caravel::kernels::cuda
