#include "kernels/latent_cache.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void latent_cache(Stream& stream, const LatentCacheArgs& args);
}  // namespace cpu

namespace cuda {
void latent_cache(Stream& stream, const LatentCacheArgs& args);
}  // namespace cuda

void latent_cache(Stream& stream, const LatentCacheArgs& args) {
  by_device(stream.device(), cpu::latent_cache, CARAVEL_IF_CUDA(cuda::latent_cache))(stream, args);
}

}  // namespace caravel::kernels
