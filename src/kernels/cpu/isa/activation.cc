#include "kernels/cpu/isa/activation.h"

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {
namespace {

F32 silu(F32 x) { return x / (broadcast(1.0F) + exp(zero() - x)); }

/// 0.5 x (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), as x / (1 + e^-2u), which does not cancel.
F32 gelu_tanh(F32 x) {
  const F32 cubic = fma(broadcast(0.044715F) * x * x, x, x);
  return x / (broadcast(1.0F) + exp(broadcast(-2.0F * 0.7978845608028654F) * cubic));
}

/// x Phi(x) as max(x, 0) - |x| erfc(|x|/sqrt 2)/2, which does not cancel. erfc(z) is t e^(p(t) - z^2) with
/// t = 1/(1 + z/2); p is the Chebyshev fit of degree 9 to log(erfc(z) e^(z^2) / t) for z up to 9.5, within 4.6e-8 (its
/// coefficients as a polynomial in what t's range is stretched to, -1 to 1). Beyond that range e^(-z^2) is 0.
F32 gelu(F32 x) {
  const F32 magnitude = abs(x);
  const F32 t = broadcast(1.0F) / fma(magnitude, broadcast(0.35355339059327379F), broadcast(1.0F));
  const F32 u = fma(t, broadcast(2.4210526315789473F), broadcast(-1.4210526315789471F));
  F32 p = broadcast(4.916548277833499e-05F);
  p = fma(p, u, broadcast(7.254105730680749e-05F));
  p = fma(p, u, broadcast(-0.0004945851396769285F));
  p = fma(p, u, broadcast(-0.0002464186691213399F));
  p = fma(p, u, broadcast(0.0035348646342754364F));
  p = fma(p, u, broadcast(-0.0008708024979569018F));
  p = fma(p, u, broadcast(-0.028741005808115005F));
  p = fma(p, u, broadcast(0.014718582853674889F));
  p = fma(p, u, broadcast(0.5656127333641052F));
  p = fma(p, u, broadcast(-0.5536350607872009F));
  const F32 tail = broadcast(0.5F) * t * exp(fma(broadcast(-0.5F) * x, x, p));
  return max(x, zero()) - magnitude * tail;
}

constexpr float kClamp = 7.0F;

/// NaN stays NaN.
F32 clamped_silu(F32 x) {
  const F32 clamped = min(broadcast(kClamp), x);
  return clamped / (broadcast(1.0F) + exp(broadcast(-1.702F) * clamped));
}
F32 clamped_up(F32 x) { return max(broadcast(-kClamp), min(broadcast(kClamp), x)) + broadcast(1.0F); }
/// NaN stays: max gives its second where they do not compare.
F32 relu(F32 x) { return max(zero(), x); }

F32 same(F32 x) { return x; }

/// kOfUp: what of `up` f(g) is multiplied by.
template <F32 (*kFunction)(F32), F32 (*kOfUp)(F32) = same>
void gate_by(const float* g, const float* up, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, kFunction(load(g + i)) * kOfUp(load(up + i)));
  if (const int left = static_cast<int>(count - i); left > 0) {
    store_part(out + i, kFunction(load_part(g + i, left)) * kOfUp(load_part(up + i, left)), left);
  }
}

template <F32 (*kFunction)(F32)>
void activate_by(const float* x, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, kFunction(load(x + i)));
  if (const int left = static_cast<int>(count - i); left > 0) {
    store_part(out + i, kFunction(load_part(x + i, left)), left);
  }
}

}  // namespace

void activate(Activation activation, const float* x, int64_t count, float* out) {
  switch (activation) {
    case Activation::kSilu:
      return activate_by<silu>(x, count, out);
    case Activation::kGeluTanh:
      return activate_by<gelu_tanh>(x, count, out);
    case Activation::kGelu:
      return activate_by<gelu>(x, count, out);
    case Activation::kClampedSilu:
      return activate_by<clamped_silu>(x, count, out);
    case Activation::kRelu:
      return activate_by<relu>(x, count, out);
  }
}

void gate(Activation activation, const float* g, const float* up, int64_t count, float* out) {
  switch (activation) {
    case Activation::kSilu:
      return gate_by<silu>(g, up, count, out);
    case Activation::kGeluTanh:
      return gate_by<gelu_tanh>(g, up, count, out);
    case Activation::kGelu:
      return gate_by<gelu>(g, up, count, out);
    case Activation::kClampedSilu:
      return gate_by<clamped_silu, clamped_up>(g, up, count, out);
    case Activation::kRelu:
      return gate_by<relu>(g, up, count, out);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
