#include "sampler/draw.h"

#include "kernels/by_device.h"

namespace caravel::sampler {

namespace cpu {
std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size);
}  // namespace cpu

namespace cuda {
std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size);
}  // namespace cuda

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size) {
  return kernels::by_device(device, cpu::make_drawer, CARAVEL_IF_CUDA(cuda::make_drawer))(device, vocab_size);
}

}  // namespace caravel::sampler
