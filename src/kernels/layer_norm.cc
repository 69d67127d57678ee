#include "kernels/layer_norm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void layer_norm(Stream& stream, const LayerNormArgs& args);
}  // namespace cpu

namespace cuda {
void layer_norm(Stream& stream, const LayerNormArgs& args);
}  // namespace cuda

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  by_device(stream.device(), cpu::layer_norm, CARAVEL_IF_CUDA(cuda::layer_norm))(stream, args);
}

}  // namespace caravel::kernels
