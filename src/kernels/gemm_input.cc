#include "kernels/gemm_input.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width);
size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out);
}  // namespace cpu

namespace cuda {
size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width);
size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out);
}  // namespace cuda

size_t gemm_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width) {
  return by_device(device, cpu::gemm_input_bytes, CARAVEL_IF_CUDA(cuda::gemm_input_bytes))(form, tokens, width);
}

size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width) {
  return by_device(device, cpu::normed_input_bytes, CARAVEL_IF_CUDA(cuda::normed_input_bytes))(device, form, tokens,
                                                                                               width);
}

void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out) {
  by_device(stream.device(), cpu::quantize_input, CARAVEL_IF_CUDA(cuda::quantize_input))(stream, x, out);
}

}  // namespace caravel::kernels
