#include "kernels/paged_attention.h"

#include "kernels/cpu/attention_split.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(paged_attention, PagedAttentionArgs)
CARAVEL_CPU_KERNEL(paged_attention_finish, PagedAttentionArgs)

namespace cpu {

size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim) {
  const int64_t states = split_states(max_tokens, max_context) * heads * state_floats(head_dim);
  const int64_t rows = max_tokens * heads * head_dim;
  return static_cast<size_t>(states + rows) * sizeof(float);
}

void paged_attention(Stream& stream, const PagedAttentionArgs& args) {
  CARAVEL_CHECK_LE(args.cache.head_dim, kMaxHeadDim);
  CARAVEL_CHECK_EQ(args.cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.heads % args.cache.kv_heads, 0);
  check_f32(args.q);
  CARAVEL_CHECK_GE(args.q.width, int64_t{args.heads} * args.cache.head_dim);
  check_output(args.out, args.q.rows, int64_t{args.heads} * args.cache.head_dim);
  enqueue_paged_attention(stream, args);
  enqueue_paged_attention_finish(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
