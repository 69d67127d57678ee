#include "kernels/cpu/isa/gate.h"

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {
namespace {

F32 silu(F32 x) { return x / (broadcast(1.0F) + exp(zero() - x)); }

/// 0.5 x (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), as x / (1 + e^-2u), which does not cancel.
F32 gelu_tanh(F32 x) {
  const F32 cubic = fma(broadcast(0.044715F) * x * x, x, x);
  return x / (broadcast(1.0F) + exp(broadcast(-2.0F * 0.7978845608028654F) * cubic));
}

template <F32 (*kFunction)(F32)>
void gate_by(const float* g, const float* up, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, kFunction(load(g + i)) * load(up + i));
  if (const int left = static_cast<int>(count - i); left > 0) {
    store_part(out + i, kFunction(load_part(g + i, left)) * load_part(up + i, left), left);
  }
}

}  // namespace

void gate(Activation activation, const float* g, const float* up, int64_t count, float* out) {
  switch (activation) {
    case Activation::kSilu:
      return gate_by<silu>(g, up, count, out);
    case Activation::kGeluTanh:
      return gate_by<gelu_tanh>(g, up, count, out);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
