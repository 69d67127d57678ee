#include "kernels/full_attention.h"

#include "base/check.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/full_attention_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(full_attention, FullAttentionArgs)

namespace cpu {

size_t full_attention_workspace(Device& device, int64_t max_length, int head_dim) {
  const int ranks = as_cpu(device).pool().size();
  return static_cast<size_t>(ranks * attention_floats(max_length, head_dim)) * sizeof(float);
}

void full_attention(Stream& stream, const FullAttentionArgs& args) {
  CARAVEL_CHECK_GE(args.stride, int64_t{3} * args.heads * args.head_dim);
  enqueue_full_attention(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
