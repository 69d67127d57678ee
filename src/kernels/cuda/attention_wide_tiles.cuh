#pragma once

#include <cstdint>

#include "kernels/cuda/attention_copies.cuh"
#include "kernels/cuda/attention_many_rows.cuh"
#include "kernels/cuda/attention_queries.cuh"
#include "kernels/cuda/attention_wgmma.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_ring.cuh"

// Sequences of many rows on a warpgroup's tensor cores. A block of threads per SM walks over tiles of 128 rows. One
// warpgroup brings queries, keys and values; two multiply, 64 rows each, and take turns: while one has its weights made
// of scores, the other's products run (Shah et al. 2024, FlashAttention-3, section 3.1). An element is the same sums in
// the same order as in AttentionMmaTile: mma and wgmma add alike.

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
};

/// The same in all lanes, which the compiler must know to let products overlap.
__device__ __forceinline__ int uniform_int(int x) { return static_cast<int>(uniform(static_cast<uint32_t>(x))); }
__device__ __forceinline__ WideJob uniform_job(const WideJob& job) {
  return {uniform_int(job.there),       uniform_int(job.first_token), uniform_int(job.first_position),
          uniform_int(job.kv_head),     uniform_int(job.begin),       uniform_int(job.count),
          uniform_int(job.first_split), uniform_int(job.splits)};
}

template <typename Elements, int kDim>
struct WideShared {
  using Copies = SplitCopies<Elements, kDim, kWarpgroup>;
  static constexpr int kImageBytes = kSplitKeys * kDim * 2;
  static constexpr int kSlotBytes = kImageBytes + Copies::kScaleBytes;  // of a split's keys, or values
  static constexpr int kSlots = kDim > 64 ? (Elements::kScaled ? 5 : 6) : 8;
  std::byte queries[2][64 * kDim * 2];
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

  __device__ WideCopies(const AttentionParams& params, Shared& shared)
      : params_(params),
        shared_(shared),
        ring_(shared.ring()),
        thread_(static_cast<int>(threadIdx.x) % kWarpgroup),
        copies_(params, thread_) {}

  __device__ void run() {
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
      copies_.look_up(rows, seen, first);
      bring_split(rows);
      copies_.look_up(rows, seen, first + 1);
      wait_barrier(shared_.queries_emptied(), round ^ 1U);
      bring_queries(rows);
      if (thread_ == 0) {
        shared_.job = {
            1, rows.sequence.first_token, rows.sequence.first_position, kv_head, rows.begin, rows.count, first, splits};
      }
      fence_shared_for_async();
      arrive(shared_.queries_filled());
      for (int i = 1; i < splits; ++i) {
        bring_split(rows);
        copies_.look_up(rows, seen, first + i + 1);
      }
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
        *reinterpret_cast<uint4*>(shared_.queries[r / 64] + chunk_at(64, r % 64, chunk)) =
            make_uint4(pairs[i][0], pairs[i][1], pairs[i][2], pairs[i][3]);
      }
    }
  }

  const AttentionParams& params_;
  Shared& shared_;
  const Ring ring_;
  const int thread_;
  SplitCopies<Elements, kDim, kWarpgroup> copies_;
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
    float max[2];
    float sum[2];
    float totals[kElements];
    float values[kElements];
    float scores[kScores];
#pragma unroll
    for (float& total : totals) total = 0.0F;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      total_max[i] = -__builtin_inff();
      total_sum[i] = 0.0F;
    }
    const auto join = [&] {
      MergeFactors factors[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        factors[i] = merge_max(total_max[i], max[i]);
        total_sum[i] = merge(total_sum[i], sum[i], factors[i]);
      }
#pragma unroll
      for (int e = 0; e < kElements; ++e) totals[e] = merge(totals[e], values[e], factors[e % 4 / 2]);
    };

    uint32_t weights[kSplitKeys / 16][4];
    const int last = job.first_split + job.splits - 1;
    const auto make_weights = [&](int split) {
      wait_products<0>();
      settle(scores);
      const float* const scales = reinterpret_cast<const float*>(shared_.slots[place_.slot] + Shared::kImageBytes);
      if constexpr (!Elements::kScaled) release();
      if (split == last && lane_ == 0) arrive(shared_.queries_emptied());
      const int begin = split * kSplitKeys;
      weigh(scores, weights, begin, begin >= inner.begin && begin + kSplitKeys <= inner.end, visible, scales, max, sum);
      if constexpr (Elements::kScaled) release();
      wait_filled();
      take_turn();
      add_values(values, weights);
      wait_products<0>();
      release();
    };
    wait_filled();
    take_turn();
    score(scores);
    give_turn();
    for (int split = job.first_split; split < last; ++split) {
      make_weights(split);
      wait_filled();
      score(scores);
      give_turn();
      RingPlace coming = place_;
      coming.advance(ring_.count);
      ring_.wait_filled(coming);  // so that the turn is given before the states join
      settle(values);
      join();
    }
    make_weights(last);
    give_turn();
    settle(values);
    join();
    store(rows, first, totals, total_sum, total_max);
  }

  /// The next slot is there, for products too.
  __device__ void wait_filled() const {
    ring_.wait_filled(place_);
    fence_shared_for_async();
  }

  /// The next slot has been read by this warp's products.
  __device__ void release() {
    __syncwarp();
    if (lane_ == 0) arrive(ring_.emptied(place_));
    place_.advance(ring_.count);
  }

  /// Nothing that uses them is moved before the wait.
  template <int kCount>
  __device__ static void settle(float (&registers)[kCount]) {
#pragma unroll
    for (float& value : registers) asm volatile("" : "+f"(value)::"memory");
  }

  __device__ void score(float (&scores)[kScores]) const {
    const MatrixDescriptor queries = matrix_descriptor(shared_address(shared_.queries[warpgroup_]), 1024);
    const MatrixDescriptor keys = matrix_descriptor(ring_.slot(place_), 1024);
    fence_products();
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
      multiply_keys<T>(scores, queries.at(k / 4 * (64 * 128) + k % 4 * 32),
                       keys.at(k / 4 * (kSplitKeys * 128) + k % 4 * 32), k > 0);
    }
    commit_products();
  }

  __device__ void add_values(float (&sums)[kElements], const uint32_t (&weights)[kSplitKeys / 16][4]) const {
    const MatrixDescriptor values = values_descriptor(ring_.slot(place_), kSplitKeys * 128);
    fence_products();
#pragma unroll
    for (int k = 0; k < kSplitKeys / 16; ++k) {
      multiply_values<T, kDim>(sums, weights[k], values.at(k * (16 * 128)), k > 0);
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
__global__ void __launch_bounds__(kWideThreads, 1) attend_wide_tiles(const __grid_constant__ AttentionParams params) {
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
    give_registers<56>();
    WideCopies<Elements, kDim>(params, shared).run();
  } else {
    take_registers<224>();
    WideProducts<Elements, kDim>(params, shared, warpgroup - 1).run();
  }
#endif
}

template <typename Elements, int kDim>
void launch_wide_tiles(Stream& stream, const AttentionParams& params, int64_t rows, int num_sms) {
  if (rows == 0) return;
  const int64_t tiles = (rows / kWideRows + params.batch.num_seqs) * params.cache.kv_heads;
  launch_early(stream, attend_wide_tiles<Elements, kDim>,
               dim3(static_cast<unsigned>(std::min<int64_t>(tiles, num_sms))), dim3(kWideThreads),
               sizeof(WideShared<Elements, kDim>), params);
}

}  // namespace caravel::kernels::cuda
