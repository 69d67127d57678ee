#include "kernels/gemm_input.h"

#include <algorithm>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/input_planes.h"
#include "kernels/cpu/quantize_input_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(quantize_input, QuantizeInputArgs)

namespace cpu {

size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width) {
  CARAVEL_CHECK(form == InputForm::kF32 || width % 32 == 0);
  return static_cast<size_t>(input_bytes(form, tokens, width));
}

size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width) {
  const auto ranks = static_cast<size_t>(as_cpu(device).pool().size());
  return std::max(gemm_input_bytes(form, tokens, width), ranks * gemm_input_bytes(form, kOwnCopyTokens, width));
}

void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out) {
  check_f32(x, out.tokens, out.width);
  check_output(out, out.tokens, out.width);
  enqueue_quantize_input(stream, {x, out});
}

}  // namespace cpu
}  // namespace caravel::kernels
