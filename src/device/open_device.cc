#include "device/open_device.h"

#include "caravel/config.h"
#include "device/cpu/cpu_device.h"

namespace caravel {

std::unique_ptr<Device> open_device(const EngineConfig& config) {
  return std::make_unique<CpuDevice>(config.threads, choose_isa(config.isa));
}

}  // namespace caravel
