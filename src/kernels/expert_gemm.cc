#include "kernels/expert_gemm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args);
void expert_gemm(Stream& stream, const ExpertGemmArgs& args);
}  // namespace cpu
namespace cuda {
void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args);
void expert_gemm(Stream& stream, const ExpertGemmArgs& args);
}  // namespace cuda

void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args) {
  by_device(stream.device(), cpu::gated_expert_gemm, CARAVEL_IF_CUDA(cuda::gated_expert_gemm))(stream, args);
}

void expert_gemm(Stream& stream, const ExpertGemmArgs& args) {
  by_device(stream.device(), cpu::expert_gemm, CARAVEL_IF_CUDA(cuda::expert_gemm))(stream, args);
}

}  // namespace caravel::kernels
