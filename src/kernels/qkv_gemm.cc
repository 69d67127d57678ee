#include "kernels/qkv_gemm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void qkv_gemm(Stream& stream, const QkvGemmArgs& args);
}

namespace cuda {
void qkv_gemm(Stream& stream, const QkvGemmArgs& args);
}

void qkv_gemm(Stream& stream, const QkvGemmArgs& args) {
  by_device(stream.device(), cpu::qkv_gemm, CARAVEL_IF_CUDA(cuda::qkv_gemm))(stream, args);
}

}  // namespace caravel::kernels
