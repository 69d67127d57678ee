#include "kernels/cuda/row_select.cuh"
#include "kernels/logits.h"

namespace caravel::kernels::cuda {

void scale_logits(Stream& stream, const ScaleLogitsArgs& args);
void soft_cap(Stream& stream, const SoftCapArgs& args);
void log_sum_exp(Stream& stream, const LogSumExpArgs& args);
void top_k(Stream& stream, const TopKArgs& args);
void token_rank(Stream& stream, const RankArgs& args);

namespace {

constexpr int kEachThreads = 256;
constexpr float kInfinity = __builtin_inff();

/// function(i) for each of the grid's threads' shares of `count`.
template <typename Function>
__device__ __forceinline__ void for_each_of(int64_t count, Function function) {
  const int64_t step = int64_t{gridDim.x} * kEachThreads;
  for (int64_t i = int64_t{blockIdx.x} * kEachThreads + threadIdx.x; i < count; i += step) function(i);
}

__global__ void __launch_bounds__(kEachThreads) multiply_logits(float* logits, int64_t count, float scale) {
  for_each_of(count, [&](int64_t i) { logits[i] = scale * logits[i]; });
}

__global__ void __launch_bounds__(kEachThreads) cap_logits(float* logits, int64_t count, float cap) {
  const float inverse = 1.0F / cap;
  for_each_of(count, [&](int64_t i) { logits[i] = cap * tanhf(logits[i] * inverse); });
}

/// Logits that a thread takes side by side. Which thread takes which depends on their place in the row alone, not on
/// how the row is aligned.
constexpr int kPiece = 4;

/// function(i, x[i]) for the thread's share of a row; aligned: it begins at a whole piece. Pieces are asked for several
/// at a time: one block has the row, and would wait for memory at each.
template <typename Function>
__device__ __forceinline__ void for_share(const float* x, int64_t width, bool aligned, Function function) {
  constexpr int kAtOnce = 4;
  constexpr int64_t kStep = int64_t{kRowThreads} * kPiece;
  const auto each = [&](int64_t i, const float4& piece) {
    function(i, piece.x);
    function(i + 1, piece.y);
    function(i + 2, piece.z);
    function(i + 3, piece.w);
  };
  int64_t i = int64_t{threadIdx.x} * kPiece;
  for (; aligned && i + (kAtOnce - 1) * kStep + kPiece <= width; i += kAtOnce * kStep) {
    float4 pieces[kAtOnce];
#pragma unroll
    for (int p = 0; p < kAtOnce; ++p) pieces[p] = *reinterpret_cast<const float4*>(x + i + p * kStep);
#pragma unroll
    for (int p = 0; p < kAtOnce; ++p) each(i + p * kStep, pieces[p]);
  }
  for (; i < width; i += kStep) {
    if (aligned && i + kPiece <= width) {
      each(i, *reinterpret_cast<const float4*>(x + i));
    } else {
      for (int64_t j = i; j < width && j < i + kPiece; ++j) function(j, x[j]);
    }
  }
}

__device__ bool is_aligned(const float* row) { return reinterpret_cast<uintptr_t>(row) % sizeof(float4) == 0; }

__global__ void __launch_bounds__(kRowThreads, 1) sum_rows(LogSumExpArgs args) {
  follow_kernel_before();
  const auto* const x = static_cast<const float*>(args.logits.data) + blockIdx.x * args.logits.stride;
  // A thread's own, one after the other.
  float max = -kInfinity;
  int32_t best = 0x7fffffff;
  float sum = 0.0F;
  for_share(x, args.logits.width, is_aligned(x), [&](int64_t i, float logit) {
    if (logit > max) {
      sum = max == -kInfinity ? sum : sum * expf(max - logit);
      max = logit;
      best = static_cast<int32_t>(i);
    }
    // Of infinite logits the sum is never asked for; a NaN before any other must not be lost.
    if (logit != -kInfinity) sum += expf(logit - (max == -kInfinity ? 0.0F : max));
  });
  const float largest = reduce_block(max, -kInfinity, Largest());
  const int32_t first =
      reduce_block(max == largest ? best : 0x7fffffff, 0x7fffffff, [](int32_t a, int32_t b) { return b < a ? b : a; });
  const float share = max == -kInfinity ? sum : sum * expf(max - largest);
  const float total = reduce_block(share, 0.0F, Sum());
  if (threadIdx.x != 0) return;
  // An infinite maximum (every logit masked) is the answer itself.
  const bool infinite = largest == kInfinity || largest == -kInfinity;
  args.log_sum_exp[blockIdx.x] = infinite ? largest : largest + logf(total);
  if (args.argmax != nullptr) args.argmax[blockIdx.x] = first == 0x7fffffff ? 0 : first;
}

/// Sorts any number of values and indices in global memory, likeliest first: a bitonic network whose comparisons all
/// point the same way, so that there may be nothing behind the last.
__device__ void sort_output(float* values, int32_t* indices, int64_t count) {
  const auto exchange = [&](int64_t low, int64_t high) {
    if (high >= count) return;
    const float a = values[low];
    const float b = values[high];
    const int32_t index_a = indices[low];
    const int32_t index_b = indices[high];
    if (key_of(a, index_a) >= key_of(b, index_b)) return;
    values[low] = b;
    values[high] = a;
    indices[low] = index_b;
    indices[high] = index_a;
  };
  for (int64_t size = 2; size < 2 * count; size *= 2) {
    for (int64_t apart = size / 2; apart > 0; apart /= 2) {
      __syncthreads();
      for (int64_t i = threadIdx.x; 2 * i < count + size; i += kRowThreads) {
        const int64_t inside = i & (apart - 1);
        const int64_t low = 2 * i - inside;
        if (low >= count) break;
        // The first comparisons of a size are with the mirror's place.
        exchange(low, apart == size / 2 ? low - inside + 2 * apart - 1 - inside : low + apart);
      }
    }
  }
}

__global__ void __launch_bounds__(kRowThreads, 1) select_rows(TopKArgs args) {
  __shared__ KeyList list;
  const auto* const x = static_cast<const float*>(args.logits.data) + blockIdx.x * args.logits.stride;
  float* const values = args.values + int64_t{blockIdx.x} * args.k;
  int32_t* const indices = args.indices + int64_t{blockIdx.x} * args.k;
  const auto for_each = [&](auto function) {
    for_share(x, args.logits.width, is_aligned(x),
              [&](int64_t i, float logit) { function(key_of(logit, static_cast<int32_t>(i))); });
  };
  if (list_keys(list, args.logits.width, args.k, for_each)) {
    for (int i = static_cast<int>(threadIdx.x); i < args.k; i += kRowThreads) {
      indices[i] = index_of(list.keys[i]);
      values[i] = x[indices[i]];
    }
    return;
  }
  const uint64_t boundary = boundary_key(static_cast<uint64_t>(args.k), [&](auto function) {
    for_each([&](uint64_t key) { function(key, uint64_t{1}); });
  });
  __syncthreads();
  if (threadIdx.x == 0) list.count = 0;
  __syncthreads();
  for_each([&](uint64_t key) {
    if (key < boundary) return;
    const int place = atomicAdd(&list.count, 1);
    indices[place] = index_of(key);
    values[place] = x[indices[place]];
  });
  sort_output(values, indices, args.k);
}

__global__ void __launch_bounds__(kRowThreads, 1) rank_rows(RankArgs args) {
  const auto* const x = static_cast<const float*>(args.logits.data) + blockIdx.x * args.logits.stride;
  const float mine = x[args.tokens[blockIdx.x]];
  int32_t larger = 0;
  for_share(x, args.logits.width, is_aligned(x), [&](int64_t, float logit) { larger += logit > mine ? 1 : 0; });
  larger = reduce_block(larger, 0, Sum());
  if (threadIdx.x == 0) args.ranks[blockIdx.x] = larger + 1;
}

/// A kernel that takes each logit by itself, with one number for all.
void change_each(Stream& stream, void (*kernel)(float*, int64_t, float), const Tensor& all, float number) {
  float* const logits = floats(all);
  CARAVEL_CHECK_EQ(all.stride, all.width);
  const int64_t count = all.rows * all.width;
  launch(stream, kernel, dim3(blocks_for(count, 4 * kEachThreads)), dim3(kEachThreads), 0, logits, count, number);
}

}  // namespace

void scale_logits(Stream& stream, const ScaleLogitsArgs& args) {
  change_each(stream, multiply_logits, args.logits, args.scale);
}

void soft_cap(Stream& stream, const SoftCapArgs& args) {
  CARAVEL_CHECK_GT(args.cap, 0.0F);
  change_each(stream, cap_logits, args.logits, args.cap);
}

void log_sum_exp(Stream& stream, const LogSumExpArgs& args) {
  CARAVEL_CHECK_GT(args.logits.width, 0);
  floats(args.logits);
  launch_early(stream, sum_rows, dim3(blocks_for(args.logits.rows, 1)), dim3(kRowThreads), 0, args);
}

void top_k(Stream& stream, const TopKArgs& args) {
  CARAVEL_CHECK_GE(args.k, 1);
  CARAVEL_CHECK_LE(args.k, args.logits.width);
  floats(args.logits);
  launch(stream, select_rows, dim3(blocks_for(args.logits.rows, 1)), dim3(kRowThreads), 0, args);
}

void token_rank(Stream& stream, const RankArgs& args) {
  floats(args.logits);
  launch(stream, rank_rows, dim3(blocks_for(args.logits.rows, 1)), dim3(kRowThreads), 0, args);
}

}  // namespace caravel::kernels::cuda
