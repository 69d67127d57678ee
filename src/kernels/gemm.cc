#include "kernels/gemm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
DType product_dtype();
void gemm(Stream& stream, const GemmArgs& args);
void gated_gemm(Stream& stream, const GatedGemmArgs& args);
void activated_gemm(Stream& stream, const ActivatedGemmArgs& args);
}  // namespace cpu

namespace cuda {
DType product_dtype();
void gemm(Stream& stream, const GemmArgs& args);
void gated_gemm(Stream& stream, const GatedGemmArgs& args);
void activated_gemm(Stream& stream, const ActivatedGemmArgs& args);
}  // namespace cuda

DType product_dtype(Device& device) {
  return by_device(device, cpu::product_dtype, CARAVEL_IF_CUDA(cuda::product_dtype))();
}

void gemm(Stream& stream, const GemmArgs& args) {
  by_device(stream.device(), cpu::gemm, CARAVEL_IF_CUDA(cuda::gemm))(stream, args);
}

void gated_gemm(Stream& stream, const GatedGemmArgs& args) {
  by_device(stream.device(), cpu::gated_gemm, CARAVEL_IF_CUDA(cuda::gated_gemm))(stream, args);
}

void activated_gemm(Stream& stream, const ActivatedGemmArgs& args) {
  by_device(stream.device(), cpu::activated_gemm, CARAVEL_IF_CUDA(cuda::activated_gemm))(stream, args);
}

}  // namespace caravel::kernels
