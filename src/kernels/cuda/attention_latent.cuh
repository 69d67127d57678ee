#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/cuda/attention_queries.cuh"
#include "kernels/cuda/attention_wgmma.cuh"
#include "kernels/cuda/attention_wide_tiles.cuh"
#include "kernels/cuda/cluster.cuh"
#include "kernels/cuda/kv_elements.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tensor_map.h"

// Keys whose first elements are their values (multi-head latent attention, DeepSeek-V2, arXiv 2405.04434, section 2.1),
// on a warpgroup's tensor cores, for any number of tokens. A block of threads has 64 rows, heads of tokens, and goes
// through splits of the keys. They lie in shared memory once, as images of 64 elements of each key, the last one of
// those that are no values. One warpgroup brings images; two multiply: each has the scores of a half of the split's
// keys, which they tell each other as weights in place of the last image, and then the weighted values of a half of the
// elements, 64 at a time. An image that was multiplied makes room for the next split's, so that there is no other room.
//
// Few rows are shared by the blocks of a cluster, which take splits in turn; states go through memory, and are merged
// in order.

namespace caravel::kernels::cuda {

inline constexpr int kValueImages = 8;
inline constexpr int kLatentImages = kValueImages + 1;
inline constexpr int kImageElements = 64;
/// What a latent and what is beside it may have.
inline constexpr int kMostValues = kValueImages * kImageElements;
inline constexpr int kMostOthers = kImageElements;
inline constexpr int kLatentThreads = 3 * kWarpgroup;
inline constexpr int kMultiplyingThreads = 2 * kWarpgroup;
inline constexpr int kBringingWarps = kWarpgroup / kWarp;
/// Splits of a block in a round, at most.
inline constexpr int kMostTurns = 2;

/// The image that comes, and is multiplied by queries, at turn `turn`: in the order in which they are done with.
__device__ __forceinline__ int image_at(int turn) {
  return turn == 0 ? kValueImages : (turn - 1) / 2 + (turn - 1) % 2 * (kValueImages / 2);
}

/// The same in all lanes, which the compiler must know to let products overlap.
__device__ __forceinline__ AttentionRows uniform_rows(const AttentionRows& rows) {
  const AttentionSequence& sequence = rows.sequence;
  return {{uniform_int(sequence.first_token), uniform_int(sequence.queries), uniform_int(sequence.first_position),
           sequence.table},
          rows.kv_head,
          uniform_int(rows.begin),
          uniform_int(rows.count)};
}

/// How rows are shared, and what keys come from.
struct LatentParams {
  AttentionParams attention;
  // Of a split of 16-bit keys that is seen whole, the copy engine brings each image by so many boxes, of what a block
  // of the cache has of it; 0: all splits come by copies of 16 bytes.
  int boxes = 0;
  CUtensorMap keys;         // [block; row; element]
  int sharers = 1;          // blocks of a cluster
  int round_splits = 0;     // whose states there is room for
  float* states = nullptr;  // of each cluster: round_splits, and two of what was merged before
};

/// States of a cluster's rows, in memory.
struct LatentStates {
  float* begin;
  int value_dim;

  /// Elements d and d + 1 of row r; d is even.
  __device__ float2* values(int state, int r, int d) const {
    return reinterpret_cast<float2*>(begin + state * state_floats(value_dim) + r * value_dim + d);
  }
  /// Its largest score and its sum.
  __device__ float2* row(int state, int r) const {
    return reinterpret_cast<float2*>(begin + state * state_floats(value_dim) + kLatentRows * value_dim + 2 * r);
  }
};

struct LatentShared {
  static constexpr int kQueryBytes = kLatentRows * 128;  // of an image
  static constexpr int kKeyBytes = kSplitKeys * 128;
  std::byte queries[kLatentImages][kQueryBytes];
  std::byte keys[kLatentImages][kKeyBytes];
  float scales[2][kSplitKeys];  // of keys of 8 bits: of values, of other elements
  float largest[2][kLatentRows];
  float sums[2][kLatentRows][4];  // of a warpgroup's keys, a lane's part
  uint64_t barriers[2 * kLatentImages];
  const std::byte* rows[kBringingWarps][kSplitKeys];  // of the split's keys, as each warp finds them; or nullptr

  __device__ uint32_t filled(int image) { return shared_address(barriers + image); }
  __device__ uint32_t emptied(int image) { return shared_address(barriers + kLatentImages + image); }
  /// Weights as the next product's operand, of 16 keys each: [8][threads of a warpgroup].
  __device__ uint4* weights() { return reinterpret_cast<uint4*>(keys[kValueImages]); }
  static_assert(kSplitKeys / 16 * kWarpgroup * sizeof(uint4) <= kKeyBytes);
};

/// A warp of those that bring keys, each of which has images of its own: tensor cores see what it wrote once it is
/// there and the warp says so, and the others go on meanwhile.
template <typename Elements>
class LatentCopies {
 public:
  __device__ LatentCopies(const LatentParams& params, LatentShared& shared)
      : latents_(params),
        params_(params.attention),
        shared_(shared),
        warp_(static_cast<int>(threadIdx.x) / kWarp),
        lane_(static_cast<int>(threadIdx.x) % kWarp) {}

  /// The kernel before writes the newest keys; older ones are not waited for where they are settled.
  __device__ void bring_split(const AttentionRows& rows, const Visible& seen, int split) {
    if ((split + 1) * kSplitKeys > rows.sequence.first_position) wait_for_kernel_before();
    if (Elements::kBytes == 2 && latents_.boxes > 0 && split * kSplitKeys >= seen.begin &&
        (split + 1) * kSplitKeys <= seen.end) {
      return bring_boxes(rows, split);
    }
    // Scales are done with where the last image is, which is this warp's.
    if (Elements::kScaled && warp_ == 0) wait_barrier(shared_.emptied(kValueImages), round_ ^ 1U);
    find(rows, seen, split);
    for (int turn = warp_; turn < kLatentImages; turn += kBringingWarps) {
      const int image = image_at(turn);
      wait_barrier(shared_.emptied(image), round_ ^ 1U);
      bring(image);
      fence_shared_for_async();
      __syncwarp();
      if (lane_ == 0) arrive(shared_.filled(image));
    }
    round_ ^= 1U;
  }

 private:
  static constexpr int kChunks = 8 * Elements::kBytes / 2;  // of 16 bytes as stored, of an image's row
  static constexpr int kPassRows = kWarp / kChunks;

  /// A split that is seen whole. A lane has a box of each image.
  __device__ void bring_boxes(const AttentionRows& rows, int split) {
    const int keys = kSplitKeys / latents_.boxes;
    const BlockPlace place = place_of(params_, split * kSplitKeys + lane_ * keys);
    const int block = lane_ < latents_.boxes ? rows.sequence.table[place.block] : 0;
    fence_for_async();  // what kernels before wrote, for the copy engine
    const uint64_t policy = read_again_policy();
    for (int turn = warp_; turn < kLatentImages; turn += kBringingWarps) {
      const int image = image_at(turn);
      wait_barrier(shared_.emptied(image), round_ ^ 1U);
      if (lane_ == 0) arrive_expecting(shared_.filled(image), LatentShared::kKeyBytes);
      __syncwarp();
      if (lane_ < latents_.boxes) {
        copy_box(shared_address(shared_.keys[image]) + lane_ * keys * 128, latents_.keys,
                 image < kValueImages ? image * kImageElements : params_.value_dim, place.offset, block,
                 shared_.filled(image), policy);
      }
    }
    round_ ^= 1U;
  }

  /// Where keys lie, and their scales.
  __device__ void find(const AttentionRows& rows, const Visible& seen, int split) {
    __syncwarp();  // all lanes have brought the split before
#pragma unroll
    for (int i = 0; i < kSplitKeys; i += kWarp) {
      const int key = i + lane_;
      const int position = split * kSplitKeys + key;
      const std::byte* row = nullptr;
      float2 scales = {};
      if (position >= seen.begin && position < seen.end) {
        const BlockPlace place = place_of(params_, position);
        const std::byte* const part = head_part(params_, rows.sequence.table[place.block], 0);
        row = part + place.offset * params_.layout.row_bytes;
        if (Elements::kScaled && warp_ == 0) {
          scales = reinterpret_cast<const float2*>(part + params_.layout.scales)[place.offset];
        }
      }
      shared_.rows[warp_][key] = row;
      if (Elements::kScaled && warp_ == 0) {
        shared_.scales[0][key] = scales.x;
        shared_.scales[1][key] = scales.y;
      }
    }
    __syncwarp();
  }

  __device__ void bring(int image) {
    std::byte* const to = shared_.keys[image];
    const int value_bytes = params_.value_dim * Elements::kBytes;
    const int begin = image < kValueImages ? image * kImageElements * Elements::kBytes : value_bytes;
    const int end = image < kValueImages ? value_bytes : params_.cache.head_dim * Elements::kBytes;
    const int chunk = lane_ % kChunks;
    const int bytes = min(max(end - begin - 16 * chunk, 0), 16);  // of a chunk, that are the image's
    const bool whole = begin % 16 == 0;  // what is behind the image's last element meets queries that are zero
    const std::byte* const* const of_lane = shared_.rows[warp_] + lane_ / kChunks;
    const auto row_at = [&](int key) { return bytes > 0 ? of_lane[key] : nullptr; };
    if (Elements::kBytes == 2 && whole) {
#pragma unroll 8
      for (int key = 0; key < kSplitKeys; key += kPassRows) {
        const std::byte* const row = row_at(key);
        copy_16_async(to + chunk_at(kSplitKeys, key + lane_ / kChunks, chunk),
                      row != nullptr ? row + begin + 16 * chunk : params_.cache.base, row != nullptr ? 16 : 0);
      }
      commit_copies();
      wait_copies<0>();
      return;
    }
    constexpr int kAtOnce = 4;
#pragma unroll 1
    for (int first = 0; first < kSplitKeys; first += kAtOnce * kPassRows) {
      uint4 stored[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::byte* const row = row_at(first + i * kPassRows);
        stored[i] = make_uint4(0, 0, 0, 0);
        if (row == nullptr) continue;
        const std::byte* const from = row + begin + 16 * chunk;
        stored[i] = whole ? *reinterpret_cast<const uint4*>(from) : by_words(from, bytes);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) put(to, first + i * kPassRows + lane_ / kChunks, chunk, stored[i]);
    }
  }

  /// Of 16 bytes that are not aligned, but to two, as many as `bytes`; zeros behind them.
  __device__ static uint4 by_words(const std::byte* from, int bytes) {
    uint32_t words[4] = {};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (2 * i >= bytes) continue;
      words[i / 2] |= uint32_t{*reinterpret_cast<const uint16_t*>(from + 2 * i)} << (i % 2 * 16);
    }
    return make_uint4(words[0], words[1], words[2], words[3]);
  }

  /// 16 bytes as they were stored.
  __device__ static void put(std::byte* to, int row, int chunk, const uint4& stored) {
    if constexpr (Elements::kBytes == 2) {
      *reinterpret_cast<uint4*>(to + chunk_at(kSplitKeys, row, chunk)) = stored;
    } else {
      uint4 pairs;
      Elements::widen(stored.x, pairs.x, pairs.y);
      Elements::widen(stored.y, pairs.z, pairs.w);
      *reinterpret_cast<uint4*>(to + chunk_at(kSplitKeys, row, 2 * chunk)) = pairs;
      Elements::widen(stored.z, pairs.x, pairs.y);
      Elements::widen(stored.w, pairs.z, pairs.w);
      *reinterpret_cast<uint4*>(to + chunk_at(kSplitKeys, row, 2 * chunk + 1)) = pairs;
    }
  }

  const LatentParams& latents_;
  const AttentionParams& params_;
  LatentShared& shared_;
  const int warp_;
  const int lane_;
  uint32_t round_ = 0;  // of the images' barriers
};

/// A warpgroup that multiplies.
template <typename Elements>
class LatentProducts {
 public:
  __device__ LatentProducts(const AttentionParams& params, LatentShared& shared, const AttentionRows& rows,
                            int warpgroup)
      : params_(params),
        shared_(shared),
        rows_(rows),
        warpgroup_(warpgroup),
        thread_(static_cast<int>(threadIdx.x) % kWarpgroup),
        lane_(thread_ % kWarp),
        row_(thread_ / kWarp * 16 + lane_ / 4) {}

  __device__ void begin() {
    wait_for_kernel_before();
    bring_queries();
    fence_shared_for_async();
    sync();
    inner_ = {rows_.visible(params_, rows_.count - 1).begin, rows_.visible(params_, 0).end};
  }

  /// All splits, one after the other, and the output.
  __device__ void attend_alone(int first_split, int splits) {
    float totals[kChunks][kScores];
    float total_max[2];
    float total_sum[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      total_max[i] = -__builtin_inff();
      total_sum[i] = 0.0F;
    }
#pragma unroll
    for (int c = 0; c < kChunks; ++c) {
#pragma unroll
      for (float& total : totals[c]) total = 0.0F;
    }
    for (int i = 0; i < splits; ++i) {
      uint32_t weights[kSplitKeys / 16][4];
      weigh(first_split + i, weights);
      MergeFactors factors[2];
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        factors[j] = merge_max(total_max[j], max_[j]);
        total_sum[j] = merge(total_sum[j], sum_[j], factors[j]);
      }
#pragma unroll
      for (int c = 0; c < kChunks; ++c) {
        float values[kScores];
        add_values(c, weights, values);
#pragma unroll
        for (int e = 0; e < kScores; ++e) totals[c][e] = merge(totals[c][e], values[e], factors[e % 4 / 2]);
      }
      round_ ^= 1U;
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = row_ + 8 * i;
      if (r >= rows_.count) continue;
      const int64_t row = rows_.output(params_, r);
      const float inverse = inverse_of_row(params_, rows_, r, total_sum[i], total_max[i]);
#pragma unroll
      for (int c = 0; c < kChunks; ++c) {
#pragma unroll
        for (int n = 0; n < kImageElements / 8; ++n) {
          const int d = element(c, n);
          if (d >= params_.value_dim) continue;
          store_output(params_, row + d, {totals[c][4 * n + 2 * i], totals[c][4 * n + 2 * i + 1]}, inverse);
        }
      }
    }
  }

  /// A split, whose state becomes `state` of `states`.
  __device__ void attend_split(int split, const LatentStates& states, int state) {
    uint32_t weights[kSplitKeys / 16][4];
    weigh(split, weights);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = row_ + 8 * i;
      if (r < rows_.count && warpgroup_ == 0 && lane_ % 4 == 0) *states.row(state, r) = {max_[i], sum_[i]};
    }
#pragma unroll 1
    for (int c = 0; c < kChunks; ++c) {
      float values[kScores];
      add_values(c, weights, values);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int r = row_ + 8 * i;
        if (r >= rows_.count) continue;
#pragma unroll
        for (int n = 0; n < kImageElements / 8; ++n) {
          const int d = element(c, n);
          if (d < params_.value_dim) {
            *states.values(state, r, d) = {values[4 * n + 2 * i], values[4 * n + 2 * i + 1]};
          }
        }
      }
    }
    round_ ^= 1U;
  }

 private:
  using T = typename Elements::Product;
  static constexpr int kScores = kImageElements / 2;  // registers of a lane, of 64 keys or elements
  static constexpr int kChunks = kValueImages / 2;    // images of values that a warpgroup has
  static constexpr int kSteps = kSplitKeys / 2 / 16;  // of 16 keys, of those whose scores a warpgroup has

  /// Both warpgroups.
  __device__ static void sync() { sync_threads<1>(kMultiplyingThreads); }

  /// The first of a lane's two neighbouring elements of a value.
  __device__ int element(int chunk, int n) const {
    const int warpgroup = static_cast<int>(threadIdx.x) / kWarpgroup - 1;  // a register less than warpgroup_ all along
    return (warpgroup * kChunks + chunk) * kImageElements + 8 * n + 2 * (lane_ % 4);
  }

  /// Nothing that uses them is moved before the wait.
  __device__ static void settle(float (&registers)[kScores]) {
#pragma unroll
    for (float& value : registers) asm volatile("" : "+f"(value)::"memory");
  }

  __device__ void bring_queries() {
    constexpr int kRowChunks = kLatentImages * 8;
    constexpr int kAtOnce = 6;
    const int value_dim = params_.value_dim;
    const int head_dim = params_.cache.head_dim;
    const bool whole =
        (reinterpret_cast<uintptr_t>(params_.q) % 16 | params_.q_stride % 8 | head_dim % 8 | value_dim % 8) == 0;
#pragma unroll 1
    for (int begin = static_cast<int>(threadIdx.x) - kWarpgroup; begin < kLatentRows * kRowChunks;
         begin += kAtOnce * kMultiplyingThreads) {
      uint4 chunks[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int at = begin + i * kMultiplyingThreads;
        const int r = at / kRowChunks;
        const int chunk = at % kRowChunks;
        const int first = chunk < kValueImages * 8 ? 8 * chunk : value_dim + 8 * (chunk - kValueImages * 8);
        const int end = chunk < kValueImages * 8 ? value_dim : head_dim;
        chunks[i] = make_uint4(0, 0, 0, 0);
        if (r >= rows_.count || first >= end) continue;
        const BFloat16* const from = rows_.queries(params_, r) + first;
        if (whole) {
          const uint4 four = *reinterpret_cast<const uint4*>(from);
          chunks[i] =
              make_uint4(as_queries<T>(four.x), as_queries<T>(four.y), as_queries<T>(four.z), as_queries<T>(four.w));
        } else {
          uint32_t pairs[4];
#pragma unroll
          for (int j = 0; j < 4; ++j) pairs[j] = query_pair<T>(from + 2 * j, first + 2 * j < end);
          chunks[i] = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
        }
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int at = begin + i * kMultiplyingThreads;
        if (at >= kLatentRows * kRowChunks) continue;
        const int chunk = at % kRowChunks;
        *reinterpret_cast<uint4*>(shared_.queries[chunk / 8] + chunk_at(kLatentRows, at / kRowChunks, chunk % 8)) =
            chunks[i];
      }
    }
  }

  __device__ void wait_filled(int image) const { wait_barrier(shared_.filled(image), round_); }
  __device__ void release(int image) const {
    __syncwarp();
    if (lane_ == 0) arrive(shared_.emptied(image));
  }

  /// Products of queries and the warpgroup's half of the keys, of one image; added to `scores` or not, as the code
  /// says: where a register says so, sums that are begun anew take registers from one split to the next.
  template <bool kAdd>
  __device__ void score(int image, float (&scores)[kScores]) const {
    wait_filled(image);
    const MatrixDescriptor queries = matrix_descriptor(shared_address(shared_.queries[image]), 1024);
    const MatrixDescriptor keys =
        matrix_descriptor(shared_address(shared_.keys[image]) + warpgroup_ * (kSplitKeys / 2 * 128), 1024);
    fence_products();
#pragma unroll
    for (int k = 0; k < kImageElements / 16; ++k) {
      multiply_half_keys<T>(scores, queries.at(32 * k), keys.at(32 * k), kAdd || k > 0);
    }
  }

  /// A split's weights, of all of its keys, and its state's max_ and sum_.
  __device__ void weigh(int split, uint32_t (&weights)[kSplitKeys / 16][4]) {
    float scores[kScores];
    if constexpr (Elements::kScaled) {
      float others[kScores];
      score<false>(image_at(0), others);
      score<false>(image_at(1), scores);
#pragma unroll 1
      for (int turn = 2; turn < kLatentImages; ++turn) score<true>(image_at(turn), scores);
      commit_products();
      wait_products<0>();
      settle(scores);
      settle(others);
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const int key = key_of(j);
        scores[j] = __fmaf_rn(others[j], shared_.scales[1][key], __fmul_rn(scores[j], shared_.scales[0][key]));
      }
    } else {
      score<false>(image_at(0), scores);
#pragma unroll 1
      for (int turn = 1; turn < kLatentImages; ++turn) score<true>(image_at(turn), scores);
      commit_products();
      wait_products<0>();
      settle(scores);
    }
    if (params_.scores.soft_cap > 0.0F) {
#pragma unroll
      for (float& score : scores) score = params_.scores.cap(score);
    }
    const int begin = split * kSplitKeys;
    if (begin < inner_.begin || begin + kSplitKeys > inner_.end) {
      Visible visible[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) visible[i] = rows_.visible(params_, min(row_ + 8 * i, rows_.count - 1));
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const Visible& keys = visible[j % 4 / 2];
        const int key = begin + key_of(j);
        if (key < keys.begin || key >= keys.end) scores[j] = -__builtin_inff();
      }
    }
    const float factor = params_.scores.factor;
    float most[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      most[i] = -__builtin_inff();
#pragma unroll
      for (int j = 2 * i; j < kScores; j += 4) most[i] = fmaxf(most[i], fmaxf(scores[j], scores[j + 1]));
      most[i] = row_largest(most[i]);
      if (lane_ % 4 == 0) shared_.largest[warpgroup_][row_ + 8 * i] = most[i];
    }
    sync();  // both have their scores, too: weights may take the last image's place
    float base[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      most[i] = fmaxf(most[i], shared_.largest[1 - warpgroup_][row_ + 8 * i]);
      max_[i] = split_max(most[i], factor);
      base[i] = weight_base(max_[i]);
    }
#pragma unroll
    for (int j = 0; j < kScores; ++j) scores[j] = weight_of(scores[j], factor, base[j % 4 / 2]);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float parts[kSteps];
#pragma unroll
      for (int j = 0; j < kSteps; ++j) {
        const float* const four = scores + 8 * j + 2 * i;
        parts[j] = __fadd_rn(__fadd_rn(four[0], four[1]), __fadd_rn(four[4], four[5]));
      }
      shared_.sums[warpgroup_][row_ + 8 * i][lane_ % 4] =
          __fadd_rn(__fadd_rn(parts[0], parts[1]), __fadd_rn(parts[2], parts[3]));
    }
#pragma unroll
    for (int k = 0; k < kSteps; ++k) {
      uint32_t packed[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int at = 8 * k + 4 * (j / 2) + 2 * (j % 2);
        float first = scores[at];
        float second = scores[at + 1];
        if constexpr (Elements::kScaled) {
          first = __fmul_rn(first, shared_.scales[0][key_of(at)]);
          second = __fmul_rn(second, shared_.scales[0][key_of(at + 1)]);
        }
        packed[j] = pack_pair<T>(first, second);
      }
      shared_.weights()[(warpgroup_ * kSteps + k) * kWarpgroup + thread_] =
          make_uint4(packed[0], packed[1], packed[2], packed[3]);
    }
    sync();
#pragma unroll
    for (int k = 0; k < kSplitKeys / 16; ++k) {
      const uint4 four = shared_.weights()[k * kWarpgroup + thread_];
      weights[k][0] = four.x, weights[k][1] = four.y, weights[k][2] = four.z, weights[k][3] = four.w;
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = row_ + 8 * i;
      float sum = __fadd_rn(shared_.sums[0][r][lane_ % 4], shared_.sums[1][r][lane_ % 4]);
      sum = __fadd_rn(sum, __shfl_xor_sync(kAllLanes, sum, 1));
      sum_[i] = __fadd_rn(sum, __shfl_xor_sync(kAllLanes, sum, 2));
    }
    fence_shared_for_async();  // weights were read before the copy engine brings keys to where they lie
    release(kValueImages);
  }

  /// Which of the split's keys register j's score is of.
  __device__ int key_of(int j) const { return warpgroup_ * (kSplitKeys / 2) + j / 4 * 8 + 2 * (lane_ % 4) + j % 2; }

  /// The weighted values of the warpgroup's image `chunk`, which is done with then.
  __device__ void add_values(int chunk, const uint32_t (&weights)[kSplitKeys / 16][4], float (&values)[kScores]) const {
    const int image = warpgroup_ * kChunks + chunk;
    const MatrixDescriptor elements = matrix_descriptor(shared_address(shared_.keys[image]), 1024);
    fence_products();
#pragma unroll
    for (int k = 0; k < kSplitKeys / 16; ++k) {
      multiply_values<T>(values, weights[k], elements.at(k * (16 * 128)), k > 0);
    }
    commit_products();
    wait_products<0>();
    settle(values);
    release(image);
  }

  const AttentionParams& params_;
  LatentShared& shared_;
  const AttentionRows& rows_;
  const int warpgroup_;
  const int thread_;
  const int lane_;
  const int row_;       // and row_ + 8
  uint32_t round_ = 0;  // of the images' barriers
  Visible inner_;       // what all rows see
  // Of the split.
  float max_[2];
  float sum_[2];
};

/// Merges a round's states in order, after those of the rounds before; a block has its share of the rows' elements. By
/// the threads that multiply.
class LatentMerge {
 public:
  __device__ LatentMerge(const LatentParams& params, const AttentionRows& rows, const LatentStates& states)
      : params_(params), rows_(rows), states_(states) {}

  __device__ void operator()(int rank, int count, int round, bool last) const {
    const AttentionParams& attention = params_.attention;
    const int half = attention.value_dim / 2;
    const int all = rows_.count * half;
    const int share = (all + params_.sharers - 1) / params_.sharers;
    const int end = min(all, (rank + 1) * share);
    // What was merged before, and with this round.
    const int before = params_.round_splits + round % 2;
    const int after = params_.round_splits + (round + 1) % 2;
#pragma unroll 1
    for (int begin = rank * share + static_cast<int>(threadIdx.x) - kWarpgroup; begin < end;
         begin += kPairs * kMultiplyingThreads) {
      float2 total[kPairs];
      float max[kPairs];
      float sum[kPairs];
      int r[kPairs];
      int d[kPairs];
#pragma unroll
      for (int j = 0; j < kPairs; ++j) {
        const int pair = min(begin + j * kMultiplyingThreads, end - 1);
        r[j] = pair / half;
        d[j] = 2 * (pair - r[j] * half);
        const float2 row = round == 0 ? float2{-__builtin_inff(), 0.0F} : __ldcg(states_.row(before, r[j]));
        total[j] = round == 0 ? float2{} : __ldcg(states_.values(before, r[j], d[j]));
        max[j] = row.x;
        sum[j] = row.y;
      }
#pragma unroll 1
      for (int state = 0; state < count; state += kAtOnce) {
        float2 part[kAtOnce][kPairs];
        float2 row[kAtOnce][kPairs];
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
          const int at = min(state + i, count - 1);
#pragma unroll
          for (int j = 0; j < kPairs; ++j) {
            part[i][j] = __ldcg(states_.values(at, r[j], d[j]));
            row[i][j] = __ldcg(states_.row(at, r[j]));
            if (state + i >= count) row[i][j].x = -__builtin_inff();  // which changes nothing
          }
        }
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
#pragma unroll
          for (int j = 0; j < kPairs; ++j) {
            const MergeFactors factors = merge_max(max[j], row[i][j].x);
            sum[j] = merge(sum[j], row[i][j].y, factors);
            total[j] = {merge(total[j].x, part[i][j].x, factors), merge(total[j].y, part[i][j].y, factors)};
          }
        }
      }
#pragma unroll
      for (int j = 0; j < kPairs; ++j) {
        if (begin + j * kMultiplyingThreads >= end) continue;
        if (last) {
          store_output(attention, rows_.output(attention, r[j]) + d[j], total[j],
                       inverse_of_row(attention, rows_, r[j], sum[j], max[j]));
        } else {
          *states_.values(after, r[j], d[j]) = total[j];
          if (d[j] == 0) *states_.row(after, r[j]) = {max[j], sum[j]};
        }
      }
    }
  }

 private:
  static constexpr int kPairs = 2;   // of a thread's, side by side
  static constexpr int kAtOnce = 4;  // states that are read before they are merged

  const LatentParams& params_;
  const AttentionRows& rows_;
  const LatentStates& states_;
};

/// Grid [sharers * any bound of the tiles of rows], in clusters of `sharers`.
template <typename Elements>
__global__ void __launch_bounds__(kLatentThreads, 1) attend_latents(const __grid_constant__ LatentParams params) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) std::byte memory[];
  auto& shared = *reinterpret_cast<LatentShared*>(memory);
  let_next_kernel_in();
  const AttentionParams& attention = params.attention;
  if (!attention.settled) wait_for_kernel_before();
  const int cluster = static_cast<int>(blockIdx.x) / params.sharers;
  const int rank = static_cast<int>(blockIdx.x) - cluster * params.sharers;
  const RowTile found = find_row_tile(attention, kLatentRows, cluster);
  if (found.s < 0) {
    wait_for_kernel_before();  // as who comes next takes for granted
    return;
  }
  const AttentionRows rows = uniform_rows(rows_of(attention, found.sequence, 0, found.begin, kLatentRows));
  const Visible seen = rows.visible(attention);
  const int all_splits = uniform_int(splits_in(seen));
  const bool alone = params.sharers == 1 || all_splits == 1;
  if (alone && rank > 0) {
    wait_for_kernel_before();
    return;
  }
  const int first_split = uniform_int(seen.begin / kSplitKeys);
  // Splits in rounds: round_splits is a multiple of the blocks' number, so that each block begins all rounds alike. All
  // threads of a cluster meet when a round's states are there, and before the next one's.
  const int step = alone ? 1 : params.sharers;
  const int most = alone ? all_splits : params.round_splits;
  const auto for_each_round = [&](auto&& function) {
    for (int round = 0; round * most < all_splits; ++round) {
      if (round > 0) {
        arrive_at_cluster();
        wait_for_cluster();
      }
      function(round, first_split + round * most, min(most, all_splits - round * most));
    }
  };
  if (threadIdx.x == 0) {
    if (params.boxes > 0) prefetch_map(params.keys);
    if (shared_address(memory) % 1024 != 0) __trap();
    for (int image = 0; image < kLatentImages; ++image) {
      init_barrier(shared.filled(image), 1);
      // Values are a warpgroup's alone.
      init_barrier(shared.emptied(image), (image < kValueImages ? kWarpgroup : kMultiplyingThreads) / kWarp);
    }
    fence_barrier_init();
  }
  __syncthreads();
  const int warpgroup = uniform_int(static_cast<int>(threadIdx.x) / kWarpgroup);
  if (warpgroup == 0) {
    give_registers<56>();
    LatentCopies<Elements> copies(params, shared);
    for_each_round([&](int /*round*/, int begin, int count) {
      for (int i = rank; i < count; i += step) copies.bring_split(rows, seen, begin + i);
      if (alone) return;
      arrive_at_cluster();
      wait_for_cluster();
    });
  } else {
    take_registers<224>();
    LatentProducts<Elements> products(attention, shared, rows, warpgroup - 1);
    products.begin();
    if (alone) {
      products.attend_alone(first_split, all_splits);
      return;
    }
    const LatentStates states = {
        params.states + cluster * (params.round_splits + 2) * state_floats(attention.value_dim), attention.value_dim};
    const LatentMerge merge_states(params, rows, states);
    for_each_round([&](int round, int begin, int count) {
      for (int i = rank; i < count; i += step) products.attend_split(begin + i, states, i);
      arrive_at_cluster();
      wait_for_cluster();
      merge_states(rank, count, round, (round + 1) * most >= all_splits);
    });
  }
#endif
}

/// Where a block has equal parts of splits.
inline void find_boxes(LatentParams& latents) {
  const AttentionParams& params = latents.attention;
  const KvLayer& cache = params.cache;
  const int rows = std::min(cache.block_size, kSplitKeys);
  if (rows % 8 != 0 || kSplitKeys % rows != 0 || cache.block_size % rows != 0) return;
  constexpr int64_t kBlocks = int64_t{1} << 24;  // as many as a table may name
  latents.boxes = kSplitKeys / rows;
  latents.keys = tensor_map(CU_TENSOR_MAP_DATA_TYPE_FLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, cache.base,
                            {cache.head_dim, cache.block_size, kBlocks}, {params.layout.row_bytes, cache.block_stride},
                            {kImageElements, rows, 1});
}

template <typename Elements>
void launch_latents(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  // Each token's heads are whole tiles and one that is not; or all of a sequence's.
  const int64_t tiles = std::min(grids.many_rows / params.group * ((params.group + kLatentRows - 1) / kLatentRows),
                                 grids.many_rows / kLatentRows + params.batch.num_seqs);
  LatentParams latents{.attention = params, .states = grids.states};
  if constexpr (Elements::kBytes == 2) find_boxes(latents);
  if (grids.most_sharers > 1) {
    static const ActiveClusters active =
        count_clusters(as_cuda(stream.device()), attend_latents<Elements>, kLatentThreads, sizeof(LatentShared));
    for (int size = 2; size <= grids.most_sharers; ++size) {
      const int64_t turns = std::min<int64_t>((kStateRoom / tiles - 2) / size, kMostTurns);
      if (active[static_cast<size_t>(size)] < tiles || turns < 1) continue;
      latents.sharers = size;
      latents.round_splits = static_cast<int>(turns) * size;
    }
  }
  launch(stream,
         {.grid = dim3(static_cast<unsigned>(tiles * latents.sharers)),
          .block = dim3(kLatentThreads),
          .shared_bytes = sizeof(LatentShared),
          .cluster = dim3(static_cast<unsigned>(latents.sharers)),
          .early = true},
         attend_latents<Elements>, latents);
}

}  // namespace caravel::kernels::cuda
