#include "kernels/full_attention.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/full_attention_workspace.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(full_attention, FullAttentionArgs)

namespace cpu {

size_t full_attention_workspace(Device& device, InputForm form, int64_t max_tokens, int64_t max_length, int heads,
                                int head_dim) {
  const int64_t scratch = as_cpu(device).pool().size() * attention_floats(max_length, head_dim);
  const int64_t rows = form == InputForm::kF32 ? 0 : max_tokens * heads * head_dim;
  return static_cast<size_t>(scratch + rows) * sizeof(float);
}

void full_attention(Stream& stream, const FullAttentionArgs& args) {
  const int64_t width = int64_t{args.heads} * args.head_dim;
  check_f32(args.qkv, 0, 3 * width);
  check_output(args.out, args.qkv.rows, width);
  enqueue_full_attention(stream, args);
  if (args.out.form == InputForm::kF32) return;
  kernels::quantize_input(
      stream, f32_tensor(attention_rows(args, as_cpu(stream).device().pool().size()), args.out.tokens, width),
      args.out);
}

}  // namespace cpu
}  // namespace caravel::kernels
