#include "kernels/latent_cache.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(latent_cache, LatentCacheArgs)

namespace cpu {

void latent_cache(Stream& stream, const LatentCacheArgs& args) {
  const KvLayer& cache = args.cache;
  CARAVEL_CHECK_EQ(cache.kv_heads, 1);
  CARAVEL_CHECK_LE(cache.head_dim, kMaxSharedDim);
  const int rotary_dim = cache.head_dim - cache.value_dim;
  CARAVEL_CHECK(cache.value_dim > 0 && rotary_dim > 0 && rotary_dim % 2 == 0);
  const int64_t tokens = args.nope.tokens;
  check_f32(args.q, tokens, int64_t{args.heads} * (args.nope_dim + rotary_dim));
  check_f32(args.latent, tokens, cache.head_dim);
  check_f32(args.rotated, tokens, int64_t{args.heads} * cache.head_dim);
  check_output(args.nope, tokens, int64_t{args.heads} * args.nope_dim);
  if (args.nope.form != InputForm::kF32) CARAVEL_CHECK_EQ(args.nope_dim % 32, 0);
  enqueue_latent_cache(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
