#include <algorithm>

#include "device/cuda/cuda_device.h"
#include "kernels/cuda/attention_fma_tile.cuh"
#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/cuda/attention_latent.cuh"
#include "kernels/paged_attention.h"

namespace caravel::kernels::cuda {

bool attends_among_keys(const Device& device, int head_dim, int value_dim);
size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim, int value_dim);
void paged_attention(Stream& stream, const PagedAttentionArgs& args);

void attend_exactly(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  // Fewer rows leave room for longer keys.
  if (params.cache.value_dim > 0) return launch_many_rows<AttentionFmaTile<8, true>>(stream, params, grids);
  using Tile = AttentionFmaTile<16, false>;
  launch_few_rows<Tile, kMaxHeadDim>(stream, params, grids);
  launch_many_rows<Tile>(stream, params, grids);
}

/// How many neighbours' tokens are computed together; 1: each is by itself.
int neighbours_of(const PagedAttentionArgs& args) {
  const KvLayer& cache = args.cache;
  const int group = args.heads / cache.kv_heads;
  // A block has whole rows where these are powers of two.
  const auto even = [](int x) { return (x & (x - 1)) == 0; };
  const bool possible = args.batch.shared_blocks != nullptr && args.batch.num_seqs > 1 && args.window == 0 &&
                        cache.value_dim == 0 && even(group) && even(cache.head_dim);
  return possible ? std::max(1, kFewRows / group) : 1;
}

bool attends_among_keys(const Device& device, int head_dim, int value_dim) {
  const auto* const there = dynamic_cast<const CudaDevice*>(&device);  // one that is planned with has warpgroups, too
  return (there == nullptr || there->has_warpgroups()) && value_dim <= kMostValues &&
         head_dim - value_dim <= kMostOthers;
}

size_t paged_attention_workspace(int64_t /*max_tokens*/, int64_t max_context, int /*heads*/, int /*head_dim*/,
                                 int value_dim) {
  if (value_dim == 0 || max_context <= kSplitKeys) return 0;  // states lie in shared memory
  return static_cast<size_t>(kStateRoom * state_floats(value_dim)) * sizeof(float);
}

void paged_attention(Stream& stream, const PagedAttentionArgs& args) {
  const KvLayer& cache = args.cache;
  const bool shared = cache.value_dim > 0;  // values are elements of keys
  const int value_dim = shared ? cache.value_dim : cache.head_dim;
  CARAVEL_CHECK_LE(cache.head_dim, shared ? kMaxSharedDim : kMaxHeadDim);
  CARAVEL_CHECK_EQ(cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(value_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.heads % cache.kv_heads, 0);
  CARAVEL_CHECK_GE(args.q.width, int64_t{args.heads} * cache.head_dim);
  CARAVEL_CHECK_EQ(args.q.stride % 2, 0);
  CARAVEL_CHECK_EQ(args.out.tokens, args.q.rows);
  CARAVEL_CHECK_EQ(args.out.width, int64_t{args.heads} * value_dim);
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
  params.value_dim = value_dim;
  params.layout = (shared ? shared_head_layout : kv_head_layout)(cache.block_size, cache.head_dim, cache.dtype);
  CARAVEL_CHECK_LT(args.max_context * cache.block_size, int64_t{1} << 32);
  params.block_reciprocal = ((uint64_t{1} << 32) + cache.block_size - 1) / cache.block_size;
  CARAVEL_CHECK_LT(args.q.rows * params.group * params.group, int64_t{1} << 32);
  params.group_reciprocal = ((uint64_t{1} << 32) + params.group - 1) / params.group;
  params.batch = args.batch;
  params.settled = args.settled;
  if (shared) params.few_rows = 0;
  // As many tokens as sequences: in all likelihood one each.
  params.few_alone = params.group <= params.few_rows && args.q.rows <= args.batch.num_seqs;
  params.out = args.out.data;
  params.out_f32 = args.out.form == InputForm::kF32;

  AttentionGrids grids;
  const CudaDevice& device = as_cuda(stream.device());
  grids.num_sms = device.num_sms();
  grids.warpgroups = device.has_warpgroups();
  if (shared && cache.dtype != KvDtype::kF32) {
    CARAVEL_CHECK(attends_among_keys(device, cache.head_dim, value_dim));
  }
  const int64_t splits = (args.max_context + kSplitKeys - 1) / kSplitKeys;
  if (device.compute_capability() >= 90) grids.most_sharers = static_cast<int>(std::min<int64_t>(splits, kMaxSharers));
  grids.few = params.group <= params.few_rows;
  if (device.compute_capability() >= 90) params.neighbours = neighbours_of(args);
  if (!params.few_alone) grids.many_rows = args.q.rows * params.group;
  grids.states = reinterpret_cast<float*>(args.workspace);
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
