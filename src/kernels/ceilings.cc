#include "kernels/ceilings.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
Ceilings measure_ceilings(Device& device);
std::vector<MemoryLevel> measure_memory(Device& device, const Ceilings& ceilings);
}  // namespace cpu

namespace cuda {
Ceilings measure_ceilings(Device& device);
std::vector<MemoryLevel> measure_memory(Device& device, const Ceilings& ceilings);
}  // namespace cuda

Ceilings measure_ceilings(Device& device) {
  return by_device(device, cpu::measure_ceilings, CARAVEL_IF_CUDA(cuda::measure_ceilings))(device);
}

std::vector<MemoryLevel> measure_memory(Device& device, const Ceilings& ceilings) {
  return by_device(device, cpu::measure_memory, CARAVEL_IF_CUDA(cuda::measure_memory))(device, ceilings);
}

}  // namespace caravel::kernels
