#include <algorithm>

#include "device/cuda/cuda_device.h"
#include "kernels/cuda/attention_fma_tile.cuh"
#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/paged_attention.h"

namespace caravel::kernels::cuda {

size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim);
void paged_attention(Stream& stream, const PagedAttentionArgs& args);

void attend_exactly(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_few_rows<AttentionFmaTile, kMaxHeadDim>(stream, params, grids);
  launch_many_rows<AttentionFmaTile>(stream, params, grids);
}

size_t paged_attention_workspace(int64_t /*max_tokens*/, int64_t /*max_context*/, int /*heads*/, int /*head_dim*/) {
  return 0;  // states lie in shared memory
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
  CARAVEL_CHECK(args.scale > 0.0F);
  if (args.batch.num_seqs == 0 || args.q.rows == 0) return;

  AttentionParams params;
  params.q = products(args.q);
  params.q_stride = args.q.stride;
  params.heads = args.heads;
  params.group = args.heads / cache.kv_heads;
  params.scores = score_arithmetic(args.scale, args.soft_cap);
  params.window = args.window;
  params.sinks = args.sinks;
  params.cache = cache;
  params.layout = kv_head_layout(cache.block_size, cache.head_dim, cache.dtype);
  CARAVEL_CHECK_LT(args.max_context * cache.block_size, int64_t{1} << 32);
  params.block_reciprocal = ((uint64_t{1} << 32) + cache.block_size - 1) / cache.block_size;
  CARAVEL_CHECK_LT(args.q.rows * params.group * params.group, int64_t{1} << 32);
  params.group_reciprocal = ((uint64_t{1} << 32) + params.group - 1) / params.group;
  params.batch = args.batch;
  params.settled = args.settled;
  // As many tokens as sequences: in all likelihood one each.
  params.few_alone = params.group <= kFewRows && args.q.rows <= args.batch.num_seqs;
  params.out = args.out.data;
  params.out_f32 = args.out.form == InputForm::kF32;

  AttentionGrids grids;
  const CudaDevice& device = as_cuda(stream.device());
  grids.num_sms = device.num_sms();
  grids.warpgroups = device.has_warpgroups();
  const int64_t splits = (args.max_context + kSplitKeys - 1) / kSplitKeys;
  if (device.compute_capability() >= 90) grids.most_sharers = static_cast<int>(std::min<int64_t>(splits, kMaxSharers));
  grids.few = params.group <= kFewRows;
  if (!params.few_alone) grids.many_rows = args.q.rows * params.group;
  switch (cache.dtype) {
    case KvDtype::kF16:
      attend_f16(stream, params, grids);
      break;
    case KvDtype::kBF16:
      attend_bf16(stream, params, grids);
      break;
    case KvDtype::kInt8:
      attend_int8(stream, params, grids);
      break;
    case KvDtype::kFp8:
      attend_fp8(stream, params, grids);
      break;
    case KvDtype::kF32:
      attend_exactly(stream, params, grids);
      break;
  }
}

}  // namespace caravel::kernels::cuda
