#include "kernels/activation.h"

#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void gated_activation(const GatedActivationArgs& args, int rank, int size);

namespace {

F32 silu(F32 x) { return x / (broadcast(1.0F) + exp(zero() - x)); }

/// 0.5 x (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), as x / (1 + e^-2u), which does not cancel.
F32 gelu_tanh(F32 x) {
  const F32 cubic = fma(broadcast(0.044715F) * x * x, x, x);
  return x / (broadcast(1.0F) + exp(broadcast(-2.0F * 0.7978845608028654F) * cubic));
}

template <F32 (*kFunction)(F32)>
void gate(const float* g, const float* up, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, kFunction(load(g + i)) * load(up + i));
  if (const int left = static_cast<int>(count - i); left > 0) {
    store_part(out + i, kFunction(load_part(g + i, left)) * load_part(up + i, left), left);
  }
}

}  // namespace

void gated_activation(const GatedActivationArgs& args, int rank, int size) {
  const int64_t slices = (args.width + kSlice - 1) / kSlice;
  const Share mine = share(args.tokens * slices, rank, size);
  alignas(64) float values[kSlice];
  for (int64_t item = mine.begin; item < mine.end; ++item) {
    const int64_t t = item / slices;
    const int64_t begin = item % slices * kSlice;
    const int64_t count = args.width - begin < kSlice ? args.width - begin : kSlice;
    const float* g = args.gate_up + t * 2 * args.width + begin;
    const float* up = g + args.width;
    switch (args.activation) {
      case Activation::kSilu:
        gate<silu>(g, up, count, values);
        break;
      case Activation::kGeluTanh:
        gate<gelu_tanh>(g, up, count, values);
        break;
    }
    store_input_slice(args.out, t, begin, count, values);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
