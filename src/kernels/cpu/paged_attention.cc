#include "kernels/paged_attention.h"

#include "kernels/cpu/attention_split.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/kv_head_layout.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(paged_attention, PagedAttentionArgs)
CARAVEL_CPU_KERNEL(paged_attention_finish, PagedAttentionArgs)

namespace cpu {

bool attends_among_keys(const Device& /*device*/, int head_dim, int value_dim) {
  return head_dim <= kMaxSharedDim && value_dim <= head_dim;
}

size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim, int value_dim) {
  const int elements = value_dim > 0 ? value_dim : head_dim;
  const int64_t states = split_states(max_tokens, max_context) * heads * state_floats(elements);
  const int64_t rows = max_tokens * heads * elements;
  return static_cast<size_t>(states + rows) * sizeof(float);
}

void paged_attention(Stream& stream, const PagedAttentionArgs& args) {
  CARAVEL_CHECK_LE(args.cache.head_dim, args.cache.value_dim > 0 ? kMaxSharedDim : kMaxHeadDim);
  CARAVEL_CHECK_LE(args.cache.value_dim, args.cache.head_dim);
  CARAVEL_CHECK_EQ(args.cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.heads % args.cache.kv_heads, 0);
  check_f32(args.q);
  CARAVEL_CHECK_GE(args.q.width, int64_t{args.heads} * args.cache.head_dim);
  check_output(args.out, args.q.rows, int64_t{args.heads} * value_elements(args.cache));
  enqueue_paged_attention(stream, args);
  enqueue_paged_attention_finish(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
