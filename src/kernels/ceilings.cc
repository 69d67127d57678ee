#include "kernels/ceilings.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
Ceilings measure_ceilings(Device& device);
}  // namespace cpu

namespace cuda {
Ceilings measure_ceilings(Device& device);
}  // namespace cuda

Ceilings measure_ceilings(Device& device) {
  return by_device(device, cpu::measure_ceilings, CARAVEL_IF_CUDA(cuda::measure_ceilings))(device);
}

}  // namespace caravel::kernels
