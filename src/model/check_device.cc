#include "model/check_device.h"

#include "base/error.h"
#include "kernels/paged_attention.h"

namespace caravel::model {

void check_device(const Device& device, const ModelConfig& config) {
  const LatentSpec& latent = config.latent;
  if (!latent || kernels::attends_among_keys(device, config.head_dim, latent.latent_dim)) return;
  throw fail<Unsupported>(
      "{}: {} has no kernel for latent attention with {} elements of a latent and {} that are rotated; it runs on the "
      "CPU: --device cpu",
      config.name, device.name(), latent.latent_dim, latent.rotary_dim);
}

}  // namespace caravel::model
