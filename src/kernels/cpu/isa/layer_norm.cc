#include "kernels/layer_norm.h"

#include "kernels/cpu/isa/input_row.h"
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

/// out = x + added, and its mean.
float sum_row(const float* x, const float* added, int64_t width, float* out) {
  F32 sum = zero();
  for (int64_t i = 0; i < width; i += kLanes) {
    F32 y = load_at(x, i, width);
    if (added != nullptr) {
      y = y + load_at(added, i, width);
      store_at(out, i, width, y);
    } else if (out != x) {
      store_at(out, i, width, y);
    }
    sum = sum + y;
  }
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
  const Share tokens = share(args.out.rows, rank, size);
  const int64_t width = args.out.width;
  const bool copies = args.copy.data != nullptr;
  const InputPlanes copy = copies ? input_planes(args.copy, rank) : InputPlanes{};
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const float* x = static_cast<const float*>(args.x.data) + t * args.x.stride;
    float* row = static_cast<float*>(args.out.data) + t * args.out.stride;
    const float* added = args.table != nullptr ? args.table + args.table_rows[t] * width : nullptr;
    const float mean = sum_row(x, added, width, row);
    const F32 center = broadcast(mean);
    const F32 factor = broadcast(inverse_deviation(row, mean, width, args.epsilon));
    for (int64_t i = 0; i < width; i += kLanes) {
      const F32 normed = (load_at(row, i, width) - center) * factor;
      store_at(row, i, width, fma(normed, load_at(args.weight, i, width), load_at(args.bias, i, width)));
    }
    if (copies) store_input_row(copy, t, row);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
