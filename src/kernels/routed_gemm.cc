#include "kernels/routed_gemm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args);
}  // namespace cpu
namespace cuda {
void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args);
}  // namespace cuda

void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args) {
  by_device(stream.device(), cpu::routed_gated_gemm, CARAVEL_IF_CUDA(cuda::routed_gated_gemm))(stream, args);
}

}  // namespace caravel::kernels
