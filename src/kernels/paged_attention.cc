#include "kernels/paged_attention.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
bool attends_among_keys(const Device& device, int head_dim, int value_dim);
size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim, int value_dim);
void paged_attention(Stream& stream, const PagedAttentionArgs& args);
}  // namespace cpu

namespace cuda {
bool attends_among_keys(const Device& device, int head_dim, int value_dim);
size_t paged_attention_workspace(int64_t max_tokens, int64_t max_context, int heads, int head_dim, int value_dim);
void paged_attention(Stream& stream, const PagedAttentionArgs& args);
}  // namespace cuda

size_t paged_attention_workspace(Device& device, int64_t max_tokens, int64_t max_context, int heads, int head_dim,
                                 int value_dim) {
  return by_device(device, cpu::paged_attention_workspace, CARAVEL_IF_CUDA(cuda::paged_attention_workspace))(
      max_tokens, max_context, heads, head_dim, value_dim);
}

bool attends_among_keys(const Device& device, int head_dim, int value_dim) {
  return by_device(device, cpu::attends_among_keys, CARAVEL_IF_CUDA(cuda::attends_among_keys))(device, head_dim,
                                                                                               value_dim);
}

void paged_attention(Stream& stream, const PagedAttentionArgs& args) {
  by_device(stream.device(), cpu::paged_attention, CARAVEL_IF_CUDA(cuda::paged_attention))(stream, args);
}

}  // namespace caravel::kernels
