#include "kernels/rms_norm.h"

#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/row_ops.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void rms_norm(const RmsNormArgs& args, int rank, int size);
void add_norm(const AddNormArgs& args, int rank, int size);

void rms_norm(const RmsNormArgs& args, int rank, int size) {
  const int64_t width = args.out.width;
  const Share tokens = is_each_ranks_own(args.out) ? Share{0, args.out.tokens} : share(args.out.tokens, rank, size);
  const InputPlanes out = input_planes(args.out, rank);
  const auto* const rows = static_cast<const float*>(args.x.data);
  alignas(64) float values[kSlice];
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const float* x = rows + (args.rows != nullptr ? args.rows[t] : t) * args.x.stride;
    const float factor = inverse_rms(x, width, args.epsilon);
    for (int64_t begin = 0; begin < width; begin += kSlice) {
      const int64_t count = width - begin < kSlice ? width - begin : kSlice;
      scale_row(x + begin, factor, args.weight + begin, count, values);
      store_input_slice(out, t, begin, count, values);
    }
  }
}

void add_norm(const AddNormArgs& args, int rank, int size) {
  const int64_t width = args.y.width;
  const Share tokens = share(args.y.rows, rank, size);
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const float* y = static_cast<const float*>(args.y.data) + t * args.y.stride;
    float* residual = static_cast<float*>(args.residual.data) + t * args.residual.stride;
    if (args.post_weight == nullptr) {
      for (int64_t i = 0; i < width; ++i) residual[i] += y[i];
    } else {
      const float factor = inverse_rms(y, width, args.epsilon);
      for (int64_t i = 0; i < width; ++i) residual[i] += y[i] * factor * args.post_weight[i];
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
