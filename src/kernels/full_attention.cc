#include "kernels/full_attention.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
size_t full_attention_workspace(Device& device, InputForm form, int64_t max_tokens, int64_t max_length, int heads,
                                int head_dim);
void full_attention(Stream& stream, const FullAttentionArgs& args);
}  // namespace cpu

size_t full_attention_workspace(Device& device, InputForm form, int64_t max_tokens, int64_t max_length, int heads,
                                int head_dim) {
  return by_device(device, cpu::full_attention_workspace)(device, form, max_tokens, max_length, heads, head_dim);
}

void full_attention(Stream& stream, const FullAttentionArgs& args) {
  by_device(stream.device(), cpu::full_attention)(stream, args);
}

}  // namespace caravel::kernels
