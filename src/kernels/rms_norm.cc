#include "kernels/rms_norm.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void rms_norm(Stream& stream, const RmsNormArgs& args);
void add_norm(Stream& stream, const AddNormArgs& args);
}  // namespace cpu

namespace cuda {
void rms_norm(Stream& stream, const RmsNormArgs& args);
void add_norm(Stream& stream, const AddNormArgs& args);
}  // namespace cuda

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  by_device(stream.device(), cpu::rms_norm, CARAVEL_IF_CUDA(cuda::rms_norm))(stream, args);
}

void next_norm(Stream& stream, const Tensor& x, const NextNorm& next) {
  if (next.weight == nullptr) return;
  stream.region("norm");
  rms_norm(stream, {.x = x, .weight = next.weight, .epsilon = next.epsilon, .out = next.out});
}

void add_norm(Stream& stream, const AddNormArgs& args) {
  by_device(stream.device(), cpu::add_norm, CARAVEL_IF_CUDA(cuda::add_norm))(stream, args);
}

}  // namespace caravel::kernels
