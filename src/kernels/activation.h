#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace caravel::kernels {

enum class Activation : uint8_t { kSilu, kGeluTanh };

struct GatedActivationArgs {
  const float* gate_up = nullptr;  // [tokens, 2 * width]: gate, then up
  Activation activation = Activation::kSilu;
  int64_t tokens = 0;
  int64_t width = 0;
  GemmInput out;  // [tokens, width]
};

/// out[t, i] = f(gate[t, i]) * up[t, i].
void gated_activation(Stream& stream, const GatedActivationArgs& args);

}  // namespace caravel::kernels
