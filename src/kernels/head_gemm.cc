#include "kernels/head_gemm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void head_gemm(Stream& stream, const HeadGemmArgs& args);
}  // namespace cpu

namespace cuda {
void head_gemm(Stream& stream, const HeadGemmArgs& args);
}  // namespace cuda

void head_gemm(Stream& stream, const HeadGemmArgs& args) {
  by_device(stream.device(), cpu::head_gemm, CARAVEL_IF_CUDA(cuda::head_gemm))(stream, args);
}

}  // namespace caravel::kernels
