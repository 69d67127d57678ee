#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/cuda/attention_copies.cuh"
#include "kernels/cuda/attention_many_rows.cuh"
#include "kernels/cuda/attention_queries.cuh"
#include "kernels/cuda/attention_wgmma.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tensor_map.h"
#include "kernels/cuda/tile_ring.cuh"

// Sequences of many rows on a warpgroup's tensor cores. A block of threads per SM walks over tiles of 128 rows. One
// warpgroup brings queries, keys and values; two multiply, 64 rows each, and take turns: while one has its weights made
// of scores, the other's products run, and behind the first products of its weights the next scores (Shah et al. 2024,
// FlashAttention-3, section 3). An element is the same sums in the same order as in AttentionMmaTile: mma and wgmma add
// alike.

namespace caravel::kernels::cuda {

inline constexpr int kWideRows = 128;
inline constexpr int kWarpgroup = 128;  // threads
inline constexpr int kWideThreads = 3 * kWarpgroup;

/// What a tile's queries come with.
struct WideJob {
  int there;  // whether there is one; else there are no more
  int first_token;
  int first_position;
  int kv_head;
  int begin;  // the first row
  int count;
  int first_split;
  int splits;
  int first_boxed;  // the splits that come by boxes
  int end_boxed;
};

/// The same in all lanes, which the compiler must know to let products overlap.
__device__ __forceinline__ int uniform_int(int x) { return static_cast<int>(uniform(static_cast<uint32_t>(x))); }
__device__ __forceinline__ WideJob uniform_job(const WideJob& job) {
  return {uniform_int(job.there),       uniform_int(job.first_token), uniform_int(job.first_position),
          uniform_int(job.kv_head),     uniform_int(job.begin),       uniform_int(job.count),
          uniform_int(job.first_split), uniform_int(job.splits),      uniform_int(job.first_boxed),
          uniform_int(job.end_boxed)};
}

/// What a copy engine brings splits from that are seen whole: keys and values by boxes of what a block has of a split.
/// For a split of a paged cache, 16 bytes at a time are more requests than an SM may have under way.
struct WideBoxes {
  CUtensorMap map;  // [block; groups of eight rows, of each head those of its keys and then of its values; halves of a
                    // row; rows of the group; elements]
  int count;        // boxes of a split, up to 32; 0: all splits come by copies of 16 bytes
};

template <typename Elements, int kDim>
struct WideShared {
  using Copies = SplitCopies<Elements, kDim, kWarpgroup, true>;
  using Keys = Images<true, kSplitKeys, 2 * kDim>;  // and values
  using Queries = Images<true, 64, 2 * kDim>;       // of a warpgroup
  static constexpr int kImageBytes = Keys::kBytes;
  static constexpr int kSlotBytes = kImageBytes + Copies::kScaleBytes;  // of a split's keys, or values
  static constexpr int kSlots = kDim > 64 ? (Elements::kScaled ? 5 : 6) : 8;
  std::byte queries[2][Queries::kBytes];
  std::byte slots[kSlots][kSlotBytes];
  uint64_t barriers[2 * kSlots + 2];
  WideJob job;

  __device__ Ring ring() { return {shared_address(slots), shared_address(barriers), kSlotBytes, kSlots}; }
  __device__ uint32_t queries_filled() { return shared_address(barriers + 2 * kSlots); }
  __device__ uint32_t queries_emptied() { return shared_address(barriers + 2 * kSlots + 1); }
};

/// The warpgroup that brings what the others multiply.
template <typename Elements, int kDim>
class WideCopies {
 public:
  using Shared = WideShared<Elements, kDim>;

  __device__ WideCopies(const AttentionParams& params, const WideBoxes& boxes, Shared& shared)
      : params_(params),
        boxes_(boxes),
        shared_(shared),
        ring_(shared.ring()),
        thread_(static_cast<int>(threadIdx.x) % kWarpgroup),
        copies_(params, thread_) {}

  __device__ void run() {
    if (boxes_.count > 0) fence_for_async();  // what kernels before wrote, for the copy engine
    const auto place = static_cast<int>(blockIdx.x);
    const auto blocks = static_cast<int>(gridDim.x);
    for (int turn = 0;; ++turn) {
      // Jobs become shorter: who had the longest of one turn has the shortest of the next.
      const int job = turn * blocks + (turn % 2 == 0 ? place : blocks - 1 - place);
      const uint32_t round = turn % 2;
      const int kv_head = job % params_.cache.kv_heads;
      const RowTile found = find_row_tile(params_, kWideRows, job / params_.cache.kv_heads);
      if (found.s < 0) {
        finish(round);
        return;
      }
      const AttentionRows rows = rows_of(params_, found.sequence, kv_head, found.begin, kWideRows);
      const Visible seen = rows.visible(params_);
      const int first = seen.begin / kSplitKeys;
      const int splits = splits_in(seen);
      // The first keys and values need not wait for the rows before.
      const bool boxed = boxes_.count > 0;
      const int first_boxed = boxed ? (seen.begin + kSplitKeys - 1) / kSplitKeys : 0;
      const int end_boxed = boxed ? seen.end / kSplitKeys : 0;
      const auto is_boxed = [&](int split) { return split >= first_boxed && split < end_boxed; };
      const auto look_up = [&](int split) { return is_boxed(split) ? block_of_box(rows, split) : 0; };
      int blocks = look_up(first);
      int next_blocks = look_up(first + 1);
      const auto bring = [&](int split) {
        if (is_boxed(split)) {
          bring_boxes(rows.kv_head, split, false, blocks);
          bring_boxes(rows.kv_head, split, true, blocks);
        } else {
          bring_split(rows);
        }
        if (!is_boxed(split + 1)) copies_.look_up(rows, seen, split + 1);
        blocks = next_blocks;
        next_blocks = look_up(split + 2);
      };
      if (!is_boxed(first)) copies_.look_up(rows, seen, first);
      bring(first);
      wait_barrier(shared_.queries_emptied(), round ^ 1U);
      bring_queries(rows);
      if (thread_ == 0) {
        shared_.job = {1,
                       rows.sequence.first_token,
                       rows.sequence.first_position,
                       kv_head,
                       rows.begin,
                       rows.count,
                       first,
                       splits,
                       first_boxed,
                       end_boxed};
      }
      fence_shared_for_async();
      arrive(shared_.queries_filled());
      for (int i = 1; i < splits; ++i) bring(first + i);
    }
  }

 private:
  __device__ void finish(uint32_t round) {
    wait_barrier(shared_.queries_emptied(), round ^ 1U);
    if (thread_ == 0) shared_.job.there = 0;
    arrive(shared_.queries_filled());
  }

  /// A split that was looked up.
  __device__ void bring_split(const AttentionRows& rows) {
    copies_.enter(rows.kv_head);
    bring(false);
    bring(true);
  }

  /// For lanes of the first warp, of as many boxes as there are: the block that a split's box comes from.
  __device__ int block_of_box(const AttentionRows& rows, int split) const {
    if (thread_ >= boxes_.count) return 0;
    return rows.sequence.table[place_of(params_, split * kSplitKeys + thread_ * (kSplitKeys / boxes_.count)).block];
  }

  __device__ void bring_boxes(int kv_head, int split, bool values, int block) {
    ring_.wait_emptied(place_);
    const uint32_t filled = ring_.filled(place_);
    if (thread_ == 0) {
      arrive_expecting(filled, Shared::kImageBytes);
    } else {
      arrive(filled);
    }
    if (thread_ < kWarp) {
      __syncwarp();
      const int row = (2 * kv_head + static_cast<int>(values)) * params_.cache.block_size +
                      place_of(params_, split * kSplitKeys).offset;
      if (thread_ < boxes_.count) {
        copy_box(ring_.slot(place_) + thread_ * (Shared::kImageBytes / boxes_.count), boxes_.map, 0, 0, 0, row / 8,
                 block, filled, policy_);
      }
      __syncwarp();
    }
    place_.advance(ring_.count);
  }

  __device__ void bring(bool values) {
    ring_.wait_emptied(place_);
    std::byte* const slot = shared_.slots[place_.slot];
    if constexpr (Elements::kScaled) {
      if (!values) copies_.copy_scales(reinterpret_cast<float*>(slot + Shared::kImageBytes));
    }
    if constexpr (Elements::kBytes == 1) {
      copies_.widen(slot, values);
    } else {
      copies_.copy(slot, values);
    }
    if constexpr (Elements::kBytes == 1) {
      commit_copies();
      wait_copies<0>();
      arrive(ring_.filled(place_));
    } else {
      arrive_after_copies(ring_.filled(place_));
    }
    place_.advance(ring_.count);
  }

  __device__ void bring_queries(const AttentionRows& rows) {
    constexpr int kChunks = kDim / 8;
    const int chunk = thread_ % kChunks;
    constexpr int kAtOnce = 4;
    constexpr int kStep = kWarpgroup / kChunks;
#pragma unroll 1
    for (int first = thread_ / kChunks; first < kWideRows; first += kAtOnce * kStep) {
      uint32_t pairs[kAtOnce][4];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int r = first + i * kStep;
        const BFloat16* const row = rows.queries(params_, r < rows.count ? r : 0) + 8 * chunk;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const bool there = r < rows.count && 8 * chunk + 2 * j < params_.cache.head_dim;
          pairs[i][j] = query_pair<typename Elements::Product>(row + 2 * j, there);
        }
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int r = first + i * kStep;
        *reinterpret_cast<uint4*>(shared_.queries[r / 64] + Shared::Queries::chunk_at(r % 64, chunk)) =
            make_uint4(pairs[i][0], pairs[i][1], pairs[i][2], pairs[i][3]);
      }
    }
  }

  const AttentionParams& params_;
  const WideBoxes& boxes_;
  const uint64_t policy_ = read_again_policy();
  Shared& shared_;
  const Ring ring_;
  const int thread_;
  typename Shared::Copies copies_;
  RingPlace place_;
};

/// A warpgroup that multiplies.
template <typename Elements, int kDim>
class WideProducts {
 public:
  using Shared = WideShared<Elements, kDim>;

  __device__ WideProducts(const AttentionParams& params, Shared& shared, int warpgroup)
      : params_(params),
        shared_(shared),
        ring_(shared.ring()),
        warpgroup_(warpgroup),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        row_(static_cast<int>(threadIdx.x) % kWarpgroup / kWarp * 16 + lane_ / 4) {}

  __device__ void run() {
    if (warpgroup_ == 1) give_turn();
    for (uint32_t round = 0;; round ^= 1) {
      wait_barrier(shared_.queries_filled(), round);
      const WideJob job = uniform_job(shared_.job);
      if (job.there == 0) break;
      attend(job);
    }
    if (warpgroup_ == 0) take_turn();  // so that each is given as often as it is taken
  }

 private:
  using T = typename Elements::Product;
  using Keys = typename Shared::Keys;
  using Queries = typename Shared::Queries;
  static constexpr int kScores = kSplitKeys / 2;  // registers of a lane
  static constexpr int kElements = kDim / 2;

  __device__ void take_turn() const { sync_threads(1 + warpgroup_, 2 * kWarpgroup); }
  __device__ void give_turn() const { arrive_at_threads(2 - warpgroup_, 2 * kWarpgroup); }

  __device__ void attend(const WideJob& job) {
    const AttentionRows rows = {{job.first_token, 0, job.first_position, nullptr}, job.kv_head, job.begin, job.count};
    const int first = 64 * warpgroup_;
    Visible visible[2];  // of rows row_ and row_ + 8
#pragma unroll
    for (int i = 0; i < 2; ++i) visible[i] = rows.visible(params_, min(first + row_ + 8 * i, job.count - 1));
    // What all rows of the warpgroup see.
    const Visible inner = {rows.visible(params_, min(first + 63, job.count - 1)).begin,
                           rows.visible(params_, min(first, job.count - 1)).end};
    float total_max[2];
    float total_sum[2];
    float totals[kElements];
    float scores[kScores];
#pragma unroll
    for (float& total : totals) total = 0.0F;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      total_max[i] = -__builtin_inff();
      total_sum[i] = 0.0F;
    }
    const auto wait_filled = [&](const RingPlace& place, int split) {
      ring_.wait_filled(place);
      if (split < job.first_boxed || split >= job.end_boxed) fence_shared_for_async();
    };
    // A split's state joins the totals; behind the first products of its values are those of the next split's scores.
    RingPlace keys = take_slot();
    const auto attend_split = [&](int split, auto is_last) {
      constexpr bool kLast = decltype(is_last)::value;
      const float* const scales = reinterpret_cast<const float*>(shared_.slots[keys.slot] + Shared::kImageBytes);
      if constexpr (!Elements::kScaled) release(keys);
      if (kLast && lane_ == 0) arrive(shared_.queries_emptied());
      const int begin = split * kSplitKeys;
      float max[2];
      float sum[2];
      uint32_t weights[kSplitKeys / 16][4];
      weigh(scores, weights, begin, begin >= inner.begin && begin + kSplitKeys <= inner.end, visible, scales, max, sum);
      if constexpr (Elements::kScaled) release(keys);
      MergeFactors factors[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        factors[i] = merge_max(total_max[i], max[i]);
        total_sum[i] = merge(total_sum[i], sum[i], factors[i]);
      }
      const RingPlace values = take_slot();
      wait_filled(values, split);
      if constexpr (!kLast) {
        keys = take_slot();
        wait_filled(keys, split + 1);
      }
      take_turn();
#pragma unroll
      for (int part = 0; part < kDim / 64; ++part) {
        float sums[32];
        add_values(sums, weights, values, part);
        if (!kLast && part == 0) score(scores, keys);
        if (part + 1 == kDim / 64) give_turn();
        if (kLast || part > 0) {
          wait_products<0>();
        } else {
          wait_products<1>();
        }
        settle(sums);
#pragma unroll
        for (int e = 0; e < 32; ++e) totals[32 * part + e] = merge(totals[32 * part + e], sums[e], factors[e % 4 / 2]);
      }
      if constexpr (!kLast) {
        if constexpr (kDim == 64) wait_products<0>();
        settle(scores);
      }
      release(values);
    };
    wait_filled(keys, job.first_split);
    take_turn();
    score(scores, keys);
    give_turn();
    wait_products<0>();
    settle(scores);
    const int last = job.first_split + job.splits - 1;
    for (int split = job.first_split; split < last; ++split) attend_split(split, std::false_type{});
    attend_split(last, std::true_type{});
    store(rows, first, totals, total_sum, total_max);
  }

  __device__ RingPlace take_slot() {
    const RingPlace place = place_;
    place_.advance(ring_.count);
    return place;
  }

  /// What is there has been read by this warp's products.
  __device__ void release(const RingPlace& place) const {
    __syncwarp();
    if (lane_ == 0) arrive(ring_.emptied(place));
  }

  /// Nothing that uses them is moved before the wait.
  template <int kCount>
  __device__ static void settle(float (&registers)[kCount]) {
#pragma unroll
    for (float& value : registers) asm volatile("" : "+f"(value)::"memory");
  }

  __device__ void score(float (&scores)[kScores], const RingPlace& place) const {
    const MatrixDescriptor queries =
        matrix_descriptor(shared_address(shared_.queries[warpgroup_]), Queries::kGroupStride);
    const MatrixDescriptor keys = matrix_descriptor(ring_.slot(place), Keys::kGroupStride);
    fence_products();
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
      multiply_keys<T>(scores, queries.at(k / 4 * Queries::kApart + k % 4 * 32),
                       keys.at(k / 4 * Keys::kApart + k % 4 * 32), k > 0);
    }
    commit_products();
  }

  /// Of 64 elements from 64 * part on.
  __device__ void add_values(float (&sums)[32], const uint32_t (&weights)[kSplitKeys / 16][4], const RingPlace& place,
                             int part) const {
    const MatrixDescriptor values = matrix_descriptor(ring_.slot(place) + part * Keys::kApart, Keys::kGroupStride);
    fence_products();
#pragma unroll
    for (int k = 0; k < kSplitKeys / 16; ++k) {
      multiply_values<T>(sums, weights[k], values.at(k * 2 * Keys::kGroupStride), k > 0);
    }
    commit_products();
  }

  /// Weights of scores, their sum, and the split's largest score.
  __device__ void weigh(float (&scores)[kScores], uint32_t (&weights)[kSplitKeys / 16][4], int begin, bool whole,
                        const Visible (&visible)[2], const float* scales, float (&max)[2], float (&sum)[2]) const {
    if constexpr (Elements::kScaled) {
#pragma unroll
      for (int j = 0; j < kScores; ++j) scores[j] = __fmul_rn(scores[j], scales[j / 4 * 8 + 2 * (lane_ % 4) + j % 2]);
    }
    if (params_.scores.soft_cap > 0.0F) {
#pragma unroll
      for (float& score : scores) score = params_.scores.cap(score);
    }
    if (!whole) {
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const int key = begin + j / 4 * 8 + 2 * (lane_ % 4) + j % 2;
        const Visible& keys = visible[j % 4 / 2];
        if (key < keys.begin || key >= keys.end) scores[j] = -__builtin_inff();
      }
    }
    const float factor = params_.scores.factor;
    float base[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float most[2] = {-__builtin_inff(), -__builtin_inff()};
#pragma unroll
      for (int j = 2 * i; j < kScores; j += 4) {
        most[0] = fmaxf(most[0], scores[j]);
        most[1] = fmaxf(most[1], scores[j + 1]);
      }
      max[i] = split_max(row_largest(fmaxf(most[0], most[1])), factor);
      base[i] = weight_base(max[i]);
    }
#pragma unroll
    for (int j = 0; j < kScores; ++j) scores[j] = weight_of(scores[j], factor, base[j % 4 / 2]);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float parts[kSplitKeys / 16];
#pragma unroll
      for (int j = 0; j < kSplitKeys / 16; ++j) {
        const float* const four = scores + 8 * j + 2 * i;
        parts[j] = __fadd_rn(__fadd_rn(four[0], four[1]), __fadd_rn(four[4], four[5]));
      }
      sum[i] = row_sum(parts);
    }
#pragma unroll
    for (int k = 0; k < kSplitKeys / 16; ++k) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float* const pair = scores + 8 * k + 4 * (j / 2) + 2 * (j % 2);
        if constexpr (Elements::kScaled) {
          const float* const scale = scales + kSplitKeys + 16 * k + 8 * (j / 2) + 2 * (lane_ % 4);
          weights[k][j] = pack_pair<T>(__fmul_rn(pair[0], scale[0]), __fmul_rn(pair[1], scale[1]));
        } else {
          weights[k][j] = pack_pair<T>(pair[0], pair[1]);
        }
      }
    }
  }

  __device__ void store(const AttentionRows& rows, int first, const float (&totals)[kElements],
                        const float (&total_sum)[2], const float (&total_max)[2]) const {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = first + row_ + 8 * i;
      if (r >= rows.count) continue;
      const int64_t row = rows.output(params_, r);
      const float inverse = inverse_of_row(params_, rows, r, total_sum[i], total_max[i]);
#pragma unroll
      for (int n = 0; n < kDim / 8; ++n) {
        const int d = 8 * n + 2 * (lane_ % 4);
        if (d >= params_.cache.head_dim) continue;
        store_output(params_, row + d, {totals[4 * n + 2 * i], totals[4 * n + 2 * i + 1]}, inverse);
      }
    }
  }

  const AttentionParams& params_;
  Shared& shared_;
  const Ring ring_;
  const int warpgroup_;
  const int lane_;
  const int row_;  // of the warpgroup's 64
  RingPlace place_;
};

/// Tiles of rows of the sequences that have many: grid [any number of blocks].
template <typename Elements, int kDim>
__global__ void __launch_bounds__(kWideThreads, 1)
    attend_wide_tiles(const __grid_constant__ AttentionParams params, const __grid_constant__ WideBoxes boxes) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) std::byte memory[];
  auto& shared = *reinterpret_cast<WideShared<Elements, kDim>*>(memory);
  const int warpgroup = uniform_int(static_cast<int>(threadIdx.x) / kWarpgroup);
  if (threadIdx.x < kWarp) {
    if (shared_address(memory) % 1024 != 0) __trap();
    if (threadIdx.x == 0) {
      shared.ring().init(0, 1, kWarpgroup, 2 * kWarpgroup / kWarp);
      init_barrier(shared.queries_filled(), kWarpgroup);
      init_barrier(shared.queries_emptied(), 2 * kWarpgroup / kWarp);
    }
    fence_barrier_init();
  }
  // What copies leave out of a row: its end, where head_dim is less than kDim.
  if (params.layout.row_bytes < kDim * Elements::kBytes) {
    auto* const slots = reinterpret_cast<uint4*>(shared.slots);
    for (int i = static_cast<int>(threadIdx.x); i < static_cast<int>(sizeof(shared.slots) / 16); i += kWideThreads) {
      slots[i] = make_uint4(0, 0, 0, 0);
    }
    fence_shared_for_async();
  }
  __syncthreads();
  follow_kernel_before();
  if (warpgroup == 0) {
    give_registers<72>();
    WideCopies<Elements, kDim>(params, boxes, shared).run();
  } else {
    take_registers<216>();
    WideProducts<Elements, kDim>(params, shared, warpgroup - 1).run();
  }
#endif
}

/// Where a block has eights of rows and equal parts of splits, and rows as many elements as tiles.
template <typename Elements, int kDim>
WideBoxes wide_boxes(const AttentionParams& params) {
  const KvLayer& cache = params.cache;
  WideBoxes boxes{};
  const int rows = std::min(cache.block_size, kSplitKeys);
  const bool parts = rows % 8 == 0 && kSplitKeys % rows == 0 && cache.block_size % rows == 0;
  if (Elements::kBytes != 2 || cache.head_dim != kDim || !parts) return boxes;
  constexpr int64_t kBlocks = int64_t{1} << 24;  // as many as a table may name
  boxes.count = kSplitKeys / rows;
  boxes.map = tensor_map(CU_TENSOR_MAP_DATA_TYPE_FLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, cache.base,
                         {64, 8, kDim / 64, int64_t{cache.kv_heads} * 2 * cache.block_size / 8, kBlocks},
                         {params.layout.row_bytes, 128, int64_t{8} * params.layout.row_bytes, cache.block_stride},
                         {64, 8, kDim / 64, rows / 8, 1});
  return boxes;
}

template <typename Elements, int kDim>
void launch_wide_tiles(Stream& stream, const AttentionParams& params, int64_t rows, int num_sms) {
  if (rows == 0) return;
  const int64_t tiles = (rows / kWideRows + params.batch.num_seqs) * params.cache.kv_heads;
  launch_early(stream, attend_wide_tiles<Elements, kDim>,
               dim3(static_cast<unsigned>(std::min<int64_t>(tiles, num_sms))), dim3(kWideThreads),
               sizeof(WideShared<Elements, kDim>), params, wide_boxes<Elements, kDim>(params));
}

}  // namespace caravel::kernels::cuda
