#include <algorithm>

#include "device/cuda/cuda_device.h"
#include "kernels/cuda/attention_fma_tile.cuh"
#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/paged_attention.h"

namespace caravel::kernels::cuda {

size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim);
void paged_attention(Stream& stream, const PagedAttentionArgs& args);

namespace {

int64_t states_of(int64_t tokens, int64_t max_context) {
  return std::min(tokens * ((max_context + kSplitKeys - 1) / kSplitKeys + 1), kMaxStates);
}

/// A warp has a head of a token at a time, and brings its splits' states together in order: grid [sequences, KV heads].
__global__ void __launch_bounds__(kAttentionThreads) merge_states(const __grid_constant__ AttentionParams params) {
  follow_kernel_before();
  const int s = static_cast<int>(blockIdx.x);
  const AttentionSequence sequence = sequence_at(params.batch, s);
  if (sequence.queries <= 0 || !has_few_rows(params, sequence)) return;
  const int64_t first = first_state(params, s);
  if (first < 0) return;
  constexpr int kMost = kMaxHeadDim / 2 / kWarp;  // pairs of elements of a lane
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int head_dim = params.cache.head_dim;
  const Visible all = sequence.visible(params.window);
  const int first_split = all.begin / kSplitKeys;
  const int splits = splits_in(all);
  for (int r = static_cast<int>(threadIdx.x) / kWarp; r < sequence.queries * params.group;
       r += kAttentionThreads / kWarp) {
    const int query = r / params.group;
    const int head = static_cast<int>(blockIdx.y) * params.group + r % params.group;
    const Visible visible = visible_keys(params.window, sequence.first_position + query);
    const int begin = visible.begin / kSplitKeys - first_split;
    const int end = begin + splits_in(visible);
    float2 total[kMost] = {};
    float total_max = -__builtin_inff();
    float total_sum = 0.0F;
#pragma unroll 4
    for (int i = begin; i < end; ++i) {
      const float* const state = state_of(params, first + int64_t{query} * splits + i, head);
      const MergeFactors factors = merge_max(total_max, state[head_dim]);
      total_sum = merge(total_sum, state[head_dim + 1], factors);
#pragma unroll
      for (int j = 0; j < kMost; ++j) {
        const int d = 2 * (j * kWarp + lane);
        if (d >= head_dim) continue;
        const float2 part = *reinterpret_cast<const float2*>(state + d);
        total[j] = {merge(total[j].x, part.x, factors), merge(total[j].y, part.y, factors)};
      }
    }
    const int64_t row = (int64_t{sequence.first_token + query} * params.heads + head) * head_dim;
#pragma unroll
    for (int j = 0; j < kMost; ++j) {
      const int d = 2 * (j * kWarp + lane);
      if (d < head_dim) {
        store_output(params, row + d, finish(total[j].x, total_sum), finish(total[j].y, total_sum));
      }
    }
  }
}

}  // namespace

void attend_exactly(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_attention<AttentionFmaTile, AttentionFmaTile>(stream, params, grids);
}

size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim) {
  return static_cast<size_t>(states_of(max_tokens, max_context) * heads * (head_dim + 2)) * sizeof(float);
}

void paged_attention(Stream& stream, const PagedAttentionArgs& args) {
  const KvLayer& cache = args.cache;
  CARAVEL_CHECK_LE(cache.head_dim, kMaxHeadDim);
  CARAVEL_CHECK_EQ(cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.heads % cache.kv_heads, 0);
  CARAVEL_CHECK_GE(args.q.width, int64_t{args.heads} * cache.head_dim);
  CARAVEL_CHECK_EQ(args.q.stride % 2, 0);
  CARAVEL_CHECK_EQ(args.out.tokens, args.q.rows);
  CARAVEL_CHECK_EQ(args.out.width, int64_t{args.heads} * cache.head_dim);
  CARAVEL_CHECK(!args.out.normed);
  CARAVEL_CHECK(args.out.form == InputForm::kF32 || args.out.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(cache.base) % 16, size_t{0});
  CARAVEL_CHECK_EQ(cache.block_stride % 16, 0);
  if (args.batch.num_seqs == 0 || args.q.rows == 0) return;

  AttentionParams params;
  params.q = products(args.q);
  params.q_stride = args.q.stride;
  params.heads = args.heads;
  params.group = args.heads / cache.kv_heads;
  params.scale = args.scale;
  params.window = args.window;
  params.soft_cap = args.soft_cap;
  params.cache = cache;
  params.layout = kv_head_layout(cache.block_size, cache.head_dim, cache.dtype);
  params.batch = args.batch;
  // As many tokens as sequences: in all likelihood one each.
  params.few_alone = params.group <= kFewRows && args.q.rows <= args.batch.num_seqs;
  params.states = reinterpret_cast<float*>(args.workspace);
  params.max_states = states_of(args.q.rows, args.max_context);
  params.out = args.out.data;
  params.out_f32 = args.out.form == InputForm::kF32;

  // Splits are shared out to as many blocks as keep the device busy.
  const auto heads = static_cast<unsigned>(cache.kv_heads);
  const auto sequences = static_cast<unsigned>(args.batch.num_seqs);
  const int64_t busy = 4 * as_cuda(stream.device()).num_sms() / (int64_t{cache.kv_heads} * args.batch.num_seqs);
  const int64_t most_splits = (args.max_context + kSplitKeys - 1) / kSplitKeys;
  const auto split_blocks = static_cast<unsigned>(std::clamp<int64_t>(busy, 1, std::max<int64_t>(most_splits, 1)));
  AttentionGrids grids;
  if (params.group <= kFewRows) grids.few = dim3(split_blocks, heads, sequences);
  if (params.group > kFewRows) grids.few = dim3(0, 0, 0);
  if (!params.few_alone) grids.many_rows = args.q.rows * params.group;
  switch (cache.dtype) {
    case KvDtype::kF16:
      attend_f16(stream, params, grids);
      break;
    case KvDtype::kBF16:
      attend_bf16(stream, params, grids);
      break;
    case KvDtype::kF32:
    case KvDtype::kInt8:
      attend_exactly(stream, params, grids);
      break;
  }
  if (params.group <= kFewRows && split_blocks > 1)
    launch_early(stream, merge_states, dim3(sequences, heads), dim3(kAttentionThreads), 0, params);
}

}  // namespace caravel::kernels::cuda
