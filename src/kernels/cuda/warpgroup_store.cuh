#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/store_heads.cuh"
#include "kernels/cuda/tile_walk.cuh"
#include "kernels/cuda/warp_mma.cuh"

namespace caravel::kernels::cuda {

/// What becomes of a warpgroup's sums of a tile of many tokens. Outputs of BF16 are finished in the registers of the
/// sums; others go through shared memory, so that neighbouring lanes store neighbouring outputs, some tokens a pass.
/// Warpgroups wait for no other: while one stores, another multiplies. TileStore is smaller.
template <int kTokens>
class WarpgroupStore {
  static constexpr int kPassTokens = kTokens < kStagedTokens ? kTokens : kStagedTokens;
  static constexpr int kFactors = kPassTokens * kPartStride;  // where they lie, behind the staged sums

 public:
  /// Of a warpgroup's room.
  static constexpr int kStagingFloats = kFactors + 2 * kTokens;

  /// Puts what tokens' sums are multiplied by behind the staged sums, and has a norm's weights brought near. `staging`:
  /// the warpgroup's room. `turn`: 0 and 1 in turns, since other warps may still read the factors of the tile before.
  __device__ WarpgroupStore(const TileArgs& args, const Tile& tile, int warpgroup, float* staging, int turn)
      : rows_(rows_of_tile(args, tile.row_tile, warpgroup)),
        expert_(tile.expert),
        first_token_(tile.first_token),
        end_token_(tile.end_token),
        warpgroup_(warpgroup),
        staging_(staging),
        factors_(staging + kFactors + turn * kTokens) {
    const int thread = static_cast<int>(threadIdx.x) % 128;
#pragma unroll 1  // what is unrolled here lies in the way of a kernel's first product
    for (int first = 0; first < kTokens; first += 128) {
      const int t = first + thread;
      if (t < kTokens) factors_[t] = args.output.factor(min(first_token_ + t, end_token_ - 1));
    }
    const int fours = args.paired ? 8 : 16;  // of a token's rows
    const int four = thread % fours * 4;
    staged_ = args.paired ? four / kGroupRows * 2 * kGroupRows + four % kGroupRows : four;
    token_ = thread / fours;
    step_ = 128 / fours;
    row_ = rows_.row(four);
    has_rows_ = four < rows_.count();
    by_fours_ = rows_.count() % 4 == 0 && args.output.takes_fours(rows_.part->first_row);
    if (args.output.next.weight != nullptr && has_rows_) args.output.next.prefetch(row_);
  }

  /// By the threads of the warpgroup.
  __device__ void operator()(const TileArgs& args, const float (&sum)[kTokens / 2]) const {
    if (stores_eights(args)) {
      sync();
      return args.paired ? store_gated_eights(args, sum) : store_plain_eights(args, sum);
    }
    if (stores_heads(args)) return store_heads(args, sum);
    for (int pass = 0; pass < kPasses; ++pass) {
#pragma unroll
      for (int p = 0; p < kPasses; ++p) {
        if (p == pass) stage(sum, p);
      }
      sync();
      if (by_fours_) {
        float4 before[kItems] = {};
        ask(args, pass, before);
        store_fours(args, pass, before);
      } else {
        store_single(args, pass);
      }
      if (pass + 1 < kPasses) sync();
    }
  }

  /// The same of sums that are added to what comes by slots: next_slot() waits for one and gives the warpgroup's rows
  /// there, [token][row], done() gives it back.
  template <typename NextSlot, typename Done>
  __device__ void add_and_store(const TileArgs& args, const float (&sum)[kTokens / 2], const NextSlot& next_slot,
                                const Done& done) const {
    const int rows = args.plan.groups * kGroupRows;
    const float* slot = nullptr;
    int slot_token = 0;
    for (int pass = 0; pass < kPasses; ++pass) {
#pragma unroll
      for (int p = 0; p < kPasses; ++p) {
        if (p == pass) stage(sum, p);
      }
      if (slot_token == 0) slot = next_slot();
      sync();
      if (by_fours_) {
        float4 before[kItems] = {};
        if (has_rows_) {
#pragma unroll
          for (int i = 0; i < kItems; ++i) {
            before[i] = *reinterpret_cast<const float4*>(slot + (slot_token + token_ + i * step_) * rows + staged_);
          }
        }
        store_fours(args, pass, before);
      } else {
        store_single(args, pass);
      }
      slot_token += kPassTokens;
      if (slot_token == args.added_tokens || pass + 1 == kPasses) {
        done();
        slot_token = 0;
      }
      if (pass + 1 < kPasses) sync();
    }
  }

 private:
  static constexpr int kPasses = kTokens / kPassTokens;
  static constexpr int kItems = kPassTokens / 8;  // of a thread in a pass, at most

  __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }
  __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32 % 4; }  // of the warpgroup

  /// Of the warpgroup. Barriers' numbers are in the code: where they are worked out, all sixteen count as taken.
  __device__ void sync() const {
    if (warpgroup_ == 0) {
      sync_threads<1>(128);
    } else {
      sync_threads<2>(128);
    }
  }

  __device__ void stage(const float (&sum)[kTokens / 2], int pass) const {
    float* const mine = staging_ + warp() * 2 * kGroupRows + lane() / 4 + lane() % 4 * 2 * kPartStride;
#pragma unroll
    for (int j = 0; j < kPassTokens / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        mine[(8 * j + e % 2) * kPartStride + e / 2 * kGroupRows] = sum[(pass * kPassTokens / 8 + j) * 4 + e];
      }
    }
  }

  /// Whether outputs are bf16 as the sums make them: then lanes finish what they have, and eight rows of a token, of a
  /// matrix of eight by eight that goes through the warp's room, are stored at once.
  __device__ bool stores_eights(const TileArgs& args) const {
    const GemmOutput& output = args.output;
    return output.bf16 && !output.accumulate && output.use != GemmUse::kActivated && !stores_heads(args) &&
           rows_.count() % 8 == 0 && output.takes_eights(rows_.part->first_row);
  }
  /// Of the lane's two tokens of the j-th eight.
  __device__ float2 factors_of(int j) const {
    return *reinterpret_cast<const float2*>(factors_ + 8 * j + lane() % 4 * 2);
  }
  /// Where the lanes of every other pass put and find eights.
  __device__ uint4* eights(int pass) const { return reinterpret_cast<uint4*>(staging_) + (warp() * 2 + pass % 2) * 32; }

  __device__ void store_gated_eights(const TileArgs& args, const float (&sum)[kTokens / 2]) const {
    const GemmOutput& output = args.output;
    const bool has_group = warp() * kGroupRows < rows_.count();
    const int row = rows_.row(warp() * kGroupRows);
    const bool has_bias = output.bias != nullptr && has_group;
    const int bias = expert_ * output.expert_biases + row + lane() / 4;
    const float gate_bias = has_bias ? output.bias[bias] : 0.0F;
    const float up_bias = has_bias ? output.bias[output.width + bias] : 0.0F;
#pragma unroll
    for (int pass = 0; pass < kTokens / 32; ++pass) {
      float gates[8];
      float ups[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const float2 factors = factors_of(4 * pass + i / 2);
        const float factor = i % 2 == 0 ? factors.x : factors.y;
        const int at = 4 * (4 * pass + i / 2) + i % 2;
        gates[i] = __fmul_rn(sum[at], factor);
        ups[i] = __fmul_rn(sum[at + 2], factor);
        if (has_bias) {
          gates[i] = __fadd_rn(gates[i], gate_bias);
          ups[i] = __fadd_rn(ups[i], up_bias);
        }
      }
      activate(output.activation, gates);
#pragma unroll
      for (float& up : ups) up = gated_factor(output.activation, up);
      uint32_t pairs[4];
#pragma unroll
      for (int m = 0; m < 4; ++m) {
        pairs[m] =
            pack_pair<BFloat16>(__fmul_rn(gates[2 * m], ups[2 * m]), __fmul_rn(gates[2 * m + 1], ups[2 * m + 1]));
      }
      uint4* const mine = eights(pass) + lane();
      store_matrices_transposed(mine, pairs);
      __syncwarp();
      const int token = first_token_ + 32 * pass + lane();
      if (has_group && token < end_token_) output.put_eight(token, row, *mine);
    }
  }

  __device__ void store_plain_eights(const TileArgs& args, const float (&sum)[kTokens / 2]) const {
    const GemmOutput& output = args.output;
    const int groups = rows_.count() / kGroupRows;
    float biases[2] = {};
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int group = 2 * warp() + half;
      if (output.bias == nullptr || group >= groups) continue;
      biases[half] = output.bias[expert_ * output.expert_biases + rows_.row(group * kGroupRows) + lane() / 4];
    }
    const int stored_group = 2 * warp() + lane() % 2;
    const int row = rows_.row(stored_group * kGroupRows);
#pragma unroll
    for (int pass = 0; pass < kTokens / 16; ++pass) {
      uint32_t pairs[4];
#pragma unroll
      for (int m = 0; m < 4; ++m) {
        const int j = 2 * pass + m / 2;
        const float2 factors = factors_of(j);
        float first = __fmul_rn(sum[4 * j + m % 2 * 2], factors.x);
        float second = __fmul_rn(sum[4 * j + m % 2 * 2 + 1], factors.y);
        if (output.bias != nullptr) {
          first = __fadd_rn(first, biases[m % 2]);
          second = __fadd_rn(second, biases[m % 2]);
        }
        pairs[m] = pack_pair<BFloat16>(first, second);
      }
      store_matrices_transposed(eights(pass) + lane() / 16 * 16 + lane() % 8 * 2 + lane() / 8 % 2, pairs);
      __syncwarp();
      const int token = first_token_ + 16 * pass + lane() / 2;
      if (stored_group < groups && token < end_token_) output.put_eight(token, row, eights(pass)[lane()]);
    }
  }

  __device__ static bool stores_heads(const TileArgs& args) {
    return kTokens <= most_joined_tokens(false) && args.output.use == GemmUse::kQkv;
  }
  /// Of a pass' tokens, those that there are.
  __device__ int count(const TileArgs& args, int pass) const {
    return min(kPassTokens, end_token_ - first_token_ - pass * kPassTokens);
  }

  __device__ void store_heads(const TileArgs& args, const float (&sum)[kTokens / 2]) const {
    for (int pass = 0; pass < kPasses; ++pass) {
      const int first = first_token_ + pass * kPassTokens;
      const HeadGroups heads(args, args.plan.groups, first, count(args, pass), static_cast<int>(threadIdx.x) % 128,
                             [&](int i) { return head_group(rows_, i, 0); });
#pragma unroll
      for (int p = 0; p < kPasses; ++p) {
        if (p == pass) stage(sum, p);
      }
      sync();
      const float* const factors = factors_ + pass * kPassTokens;
      heads.store(args, first, [&](int t, int row) {
        const float2 staged = *reinterpret_cast<const float2*>(staging_ + t * kPartStride + row);
        return make_float2(__fmul_rn(staged.x, factors[t]), __fmul_rn(staged.y, factors[t]));
      });
      if (pass + 1 < kPasses) sync();
    }
  }

  /// Staged sums one by one, of outputs that four rows of do not lie together.
  __device__ void store_single(const TileArgs& args, int pass) const {
    const int row_count = rows_.count();
    const int pass_token = first_token_ + pass * kPassTokens;
    for (int t = warp(); t < count(args, pass); t += 4) {
      const float* const sums = staging_ + t * kPartStride;
      const float factor = factors_[pass * kPassTokens + t];
      for (int r = lane(); r < row_count; r += 32) {
        const int staged = args.paired ? r / kGroupRows * 2 * kGroupRows + r % kGroupRows : r;
        args.output.store(expert_, pass_token + t, rows_.row(r), __fmul_rn(sums[staged], factor),
                          args.paired ? __fmul_rn(sums[staged + kGroupRows], factor) : 0.0F);
      }
    }
  }

  __device__ void ask(const TileArgs& args, int pass, float4 (&before)[kItems]) const {
    if (!args.output.accumulate || !has_rows_) return;
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      const int t = token_ + i * step_;
      const int token = first_token_ + pass * kPassTokens + t;
      if (t < kPassTokens && token < end_token_) before[i] = args.output.four(token, row_);
    }
  }

  __device__ void store_fours(const TileArgs& args, int pass, const float4 (&added)[kItems]) const {
    const bool norms = args.output.next.weight != nullptr;
    // Of a token whose row is normed next, all threads are asked.
    if (!has_rows_ && !norms) return;
    const int pass_token = first_token_ + pass * kPassTokens;
    const int tokens = count(args, pass);
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      const int t = token_ + i * step_;
      if (t >= tokens) continue;
      float4 value{};
      if (has_rows_) {
        const float factor = factors_[pass * kPassTokens + t];
        const auto* const sums = reinterpret_cast<const float4*>(staging_ + t * kPartStride + staged_);
        value = args.output.store_four(expert_, pass_token + t, row_, times(sums[0], factor),
                                       args.paired ? times(sums[kGroupRows / 4], factor) : float4{}, added[i]);
      }
      if (norms) args.output.next.put_fours(pass_token + t, row_, has_rows_, value);
    }
  }

  Rows rows_;
  int expert_;
  int first_token_;
  int end_token_;
  int warpgroup_;
  float* staging_;  // [kPassTokens][kPartStride]
  float* factors_;  // [kTokens]
  int row_;         // of the output: the first of four of each token
  int staged_;      // where these are in a token's staged sums
  int token_;       // the first of a pass
  int step_;        // from one token to the next
  bool has_rows_;
  bool by_fours_;  // for all threads: the outputs may be stored by fours
};

}  // namespace caravel::kernels::cuda
