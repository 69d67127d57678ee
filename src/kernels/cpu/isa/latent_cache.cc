#include "kernels/latent_cache.h"

#include "kernels/cpu/isa/kv_store.h"
#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/row_ops.h"
#include "kernels/cpu/kv_head_layout.h"

namespace caravel::kernels::CARAVEL_ISA {

void latent_cache(const LatentCacheArgs& args, int rank, int size);

namespace {

const float* row_of(const Tensor& tensor, int64_t token) {
  return static_cast<const float*>(tensor.data) + token * tensor.stride;
}

void hand_on_query(const LatentCacheArgs& args, const InputPlanes& nope, int64_t token, int head) {
  const KvLayer& cache = args.cache;
  const int rotary_dim = cache.head_dim - cache.value_dim;
  const float* x = row_of(args.q, token) + static_cast<int64_t>(head) * (args.nope_dim + rotary_dim);
  store_input_slice(nope, token, static_cast<int64_t>(head) * args.nope_dim, args.nope_dim, x);
  float* to = static_cast<float*>(args.rotated.data) + token * args.rotated.stride +
              static_cast<int64_t>(head) * cache.head_dim + cache.value_dim;
  std::memcpy(to, x + args.nope_dim, sizeof(float) * static_cast<size_t>(rotary_dim));
  rotate(to, args.cos_sin + token * rotary_dim, rotary_dim, args.style);
}

void store_key(const LatentCacheArgs& args, int64_t token) {
  const KvLayer& cache = args.cache;
  const int64_t slot = args.slots[token];
  if (slot < 0) return;
  const int value_dim = cache.value_dim;
  const int rotary_dim = cache.head_dim - value_dim;
  const float* x = row_of(args.latent, token);
  alignas(64) float key[kMaxSharedDim];
  scale_row(x, inverse_rms(x, value_dim, args.norm_epsilon), args.norm, value_dim, key);
  std::memcpy(key + value_dim, x + value_dim, sizeof(float) * static_cast<size_t>(rotary_dim));
  rotate(key + value_dim, args.cos_sin + token * rotary_dim, rotary_dim, args.style);
  const SharedRowLayout layout = shared_row_layout(cache.block_size, cache.head_dim, cache.dtype);
  const int64_t offset = slot % cache.block_size;
  std::byte* const head = cache.base + slot / cache.block_size * cache.block_stride;
  float* const scales = reinterpret_cast<float*>(head + layout.scales) + 2 * offset;
  const int64_t element = offset * layout.stride;
  store_elements(cache.dtype, head, element, 1, scales, key, value_dim);
  store_elements(cache.dtype, head, element + value_dim, 1, scales + 1, key + value_dim, rotary_dim);
}

}  // namespace

/// A rank's share is a run of heads of tokens, behind which a token's key counts as one more.
void latent_cache(const LatentCacheArgs& args, int rank, int size) {
  const InputPlanes nope = input_planes(args.nope, rank);
  const int units = args.heads + 1;
  const Share mine = share(args.nope.tokens * units, rank, size);
  for (int64_t item = mine.begin; item < mine.end; ++item) {
    const int unit = static_cast<int>(item % units);
    if (unit < args.heads) {
      hand_on_query(args, nope, item / units, unit);
    } else {
      store_key(args, item / units);
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
