#include "model/check_device.h"

#include "base/error.h"

namespace caravel::model {

void check_device(const Device& device, const ModelConfig& config) {
  if (device.kind() == DeviceKind::kCpu) return;
  if (!config.latent) return;
  throw fail<Unsupported>("{}: {} has no kernels for latent attention yet; it runs on the CPU: --device cpu",
                          config.name, device.name());
}

}  // namespace caravel::model
