#include "kernels/kv_cache.h"

#include "kernels/cpu/isa/kv_store.h"
#include "kernels/cpu/isa/row_ops.h"
#include "kernels/cpu/kv_head_layout.h"

namespace caravel::kernels::CARAVEL_ISA {

void rotary_cache(const RotaryCacheArgs& args, int rank, int size);

namespace {

/// What a head is multiplied by before it is rotated: the reciprocal of its row's root mean square, or of its own, and
/// weights; without weights nothing.
struct HeadNorm {
  float factor = 1.0F;
  const float* weight = nullptr;  // [head_dim]
};

/// out = the head x [head_dim], normed and rotated; out may be x.
void prepare_head(const RotaryCacheArgs& args, int64_t token, const float* x, const HeadNorm& norm, float* out) {
  const int head_dim = args.cache.head_dim;
  if (norm.weight != nullptr) {
    scale_row(x, norm.factor, norm.weight, head_dim, out);
  } else if (out != x) {
    std::memcpy(out, x, sizeof(float) * static_cast<size_t>(head_dim));
  }
  if (args.cos_sin != nullptr) rotate(out, args.cos_sin + token * args.rotary_dim, args.rotary_dim, args.style);
}

/// Heads [begin, end) of a token's Q, K and V, which are all of Q's, or of K's, where their row is normed.
void store_heads(const RotaryCacheArgs& args, const KvHeadLayout& layout, int64_t token, int begin, int end) {
  const KvLayer& cache = args.cache;
  const int head_dim = cache.head_dim;
  float* const row = static_cast<float*>(args.qkv.data) + token * args.qkv.stride;
  const float* const weight = begin < args.heads                    ? args.q_norm
                              : begin < args.heads + cache.kv_heads ? args.k_norm
                                                                    : nullptr;
  const bool row_normed = weight != nullptr && args.norms_rows;
  const float row_factor =
      row_normed ? inverse_rms(row + int64_t{begin} * head_dim, int64_t{end - begin} * head_dim, args.norm_epsilon)
                 : 1.0F;
  const auto norm_of = [&](int unit, const float* x) -> HeadNorm {
    if (row_normed) return {row_factor, weight + int64_t{unit - begin} * head_dim};
    return {weight == nullptr ? 1.0F : inverse_rms(x, head_dim, args.norm_epsilon), weight};
  };
  alignas(64) float key[kMaxHeadDim];
  for (int unit = begin; unit < end; ++unit) {
    float* x = row + int64_t{unit} * head_dim;
    if (unit < args.heads) {
      prepare_head(args, token, x, norm_of(unit, x), x);
      continue;
    }
    const int64_t slot = args.slots[token];
    if (slot < 0) continue;
    const int offset = static_cast<int>(slot % cache.block_size);
    const int kv_unit = unit - args.heads;
    std::byte* head =
        cache.base + slot / cache.block_size * cache.block_stride + kv_unit % cache.kv_heads * layout.head_bytes;
    float* scale = reinterpret_cast<float*>(head + layout.scales) + offset;
    if (kv_unit < cache.kv_heads) {
      prepare_head(args, token, x, norm_of(unit, x), key);
      store_elements(cache.dtype, head, key_element(layout, head_dim, offset, 0), layout.group, scale, key, head_dim);
    } else {
      store_elements(cache.dtype, head, value_element(layout, cache.block_size, head_dim, offset), 1,
                     scale + cache.block_size, x, head_dim);
    }
  }
}

}  // namespace

void rotary_cache(const RotaryCacheArgs& args, int rank, int size) {
  const KvLayer& cache = args.cache;
  const KvHeadLayout layout = kv_head_layout(cache.block_size, cache.head_dim, cache.dtype);
  const int ends[] = {0, args.heads, args.heads + cache.kv_heads, args.heads + 2 * cache.kv_heads};
  // Where rows are normed, one thread has the whole of Q, of K or of V: it norms Q in place once it has seen all of it.
  const int units = args.norms_rows ? 3 : ends[3];
  const Share mine = share(args.qkv.rows * units, rank, size);
  for (int64_t item = mine.begin; item < mine.end; ++item) {
    const int unit = static_cast<int>(item % units);
    const int begin = args.norms_rows ? ends[unit] : unit;
    store_heads(args, layout, item / units, begin, args.norms_rows ? ends[unit + 1] : unit + 1);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
