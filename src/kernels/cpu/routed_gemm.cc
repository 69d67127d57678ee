#include "kernels/routed_gemm.h"

#include "device/device.h"

namespace caravel::kernels::cpu {

void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args);

void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args) {
  kernels::route(stream, args.route);
  stream.region("experts gate and up");
  kernels::gated_expert_gemm(stream, args.gemm);
}

}  // namespace caravel::kernels::cpu
