#include "kernels/layer_norm.h"

#include <cstring>

#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void layer_norm(const LayerNormArgs& args, int rank, int size);

namespace {

F32 load_at(const float* p, int64_t i, int64_t width) {
  return width - i < kLanes ? load_part(p + i, static_cast<int>(width - i)) : load(p + i);
}

void store_at(float* p, int64_t i, int64_t width, F32 x) {
  if (width - i < kLanes) {
    store_part(p + i, x, static_cast<int>(width - i));
  } else {
    store(p + i, x);
  }
}

/// out = x + added.
void add_row(const float* x, const float* added, int64_t width, float* out) {
  for (int64_t i = 0; i < width; i += kLanes) store_at(out, i, width, load_at(x, i, width) + load_at(added, i, width));
}

float mean_of(const float* y, int64_t width) {
  F32 sum = zero();
  for (int64_t i = 0; i < width; i += kLanes) sum = sum + load_at(y, i, width);
  return reduce_add(sum) / static_cast<float>(width);
}

float inverse_deviation(const float* y, float mean, int64_t width, float epsilon) {
  const F32 center = broadcast(mean);
  F32 sum = zero();
  for (int64_t i = 0; i < width; i += kLanes) {
    F32 d = load_at(y, i, width) - center;
    if (width - i < kLanes) d = keep_lanes(d, 0, static_cast<int>(width - i), zero());
    sum = fma(d, d, sum);
  }
  return 1.0F / __builtin_sqrtf(reduce_add(sum) / static_cast<float>(width) + epsilon);
}

}  // namespace

void layer_norm(const LayerNormArgs& args, int rank, int size) {
  const bool writes = args.out.data != nullptr;
  const bool copies = args.copy.data != nullptr;
  const Share tokens = share(writes ? args.out.rows : args.copy.tokens, rank, size);
  const int64_t width = writes ? args.out.width : args.copy.width;
  const InputPlanes copy = copies ? input_planes(args.copy, rank) : InputPlanes{};
  alignas(64) float values[kSlice];
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const int64_t row = args.rows != nullptr ? args.rows[t] : t;
    const float* y = static_cast<const float*>(args.x.data) + row * args.x.stride;
    float* const out = writes ? static_cast<float*>(args.out.data) + t * args.out.stride : nullptr;
    if (args.table != nullptr) {
      add_row(y, args.table + args.table_rows[t] * width, width, out);
      y = out;
    }
    const float mean = mean_of(y, width);
    const F32 center = broadcast(mean);
    const F32 factor = broadcast(inverse_deviation(y, mean, width, args.epsilon));
    for (int64_t begin = 0; begin < width; begin += kSlice) {
      const int64_t count = width - begin < kSlice ? width - begin : kSlice;
      for (int64_t i = 0; i < count; i += kLanes) {
        const F32 normed = (load_at(y + begin, i, count) - center) * factor;
        store_at(values, i, count,
                 fma(normed, load_at(args.weight + begin, i, count), load_at(args.bias + begin, i, count)));
      }
      if (writes) std::memcpy(out + begin, values, sizeof(float) * static_cast<size_t>(count));
      if (copies) store_input_slice(copy, t, begin, count, values);
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
