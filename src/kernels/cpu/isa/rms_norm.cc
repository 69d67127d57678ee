#include "kernels/rms_norm.h"

#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/row_ops.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void rms_norm(const RmsNormArgs& args, int rank, int size);
void add_norm(const AddNormArgs& args, int rank, int size);

void rms_norm(const RmsNormArgs& args, int rank, int size) {
  const bool own = args.out.copy_bytes != 0;  // all tokens, for this rank alone
  const Share tokens = own ? Share{0, args.tokens} : share(args.tokens, rank, size);
  const GemmInput out = copy_of_rank(args.out, rank);
  alignas(64) float values[kSlice];
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const float* x = args.x + (args.rows != nullptr ? args.rows[t] : t) * args.width;
    const float factor = inverse_rms(x, args.width, args.epsilon);
    for (int64_t begin = 0; begin < args.width; begin += kSlice) {
      const int64_t count = args.width - begin < kSlice ? args.width - begin : kSlice;
      scale_row(x + begin, factor, args.weight + begin, count, values);
      store_input_slice(out, t, begin, count, values);
    }
  }
}

void add_norm(const AddNormArgs& args, int rank, int size) {
  const Share tokens = share(args.tokens, rank, size);
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const float* y = args.y + t * args.width;
    float* residual = args.residual + t * args.width;
    if (args.post_weight == nullptr) {
      for (int64_t i = 0; i < args.width; ++i) residual[i] += y[i];
    } else {
      const float factor = inverse_rms(y, args.width, args.epsilon);
      for (int64_t i = 0; i < args.width; ++i) residual[i] += y[i] * factor * args.post_weight[i];
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
