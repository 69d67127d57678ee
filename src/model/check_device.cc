#include "model/check_device.h"

#include "base/error.h"

namespace caravel::model {

void check_device(const Device& device, const ModelConfig& config) {
  if (device.kind() == DeviceKind::kCpu) return;
  const struct {
    bool wanted;
    std::string_view name;
  } missing[] = {
      {bool{config.latent}, "latent attention"},
      {config.experts.rule.experts > 0, "experts"},
  };
  for (const auto& [wanted, name] : missing) {
    if (!wanted) continue;
    throw fail<Unsupported>("{}: {} has no kernels for {} yet; it runs on the CPU: --device cpu", config.name,
                            device.name(), name);
  }
}

}  // namespace caravel::model
