#pragma once

#include <cstdint>
#include <vector>

#include "device/device_array.h"
#include "kernels/cpu/input_planes.h"
#include "kernels/dequantize.h"

namespace caravel::kernels {

/// The values that an input means: [tokens, width].
inline std::vector<float> input_values(Stream& stream, GemmInput input) {
  std::vector<std::byte> bytes =
      download(stream, input.data, gemm_input_bytes(stream.device(), input.form, input.tokens, input.width));
  if (input.form == InputForm::kBf16) {
    std::vector<float> values(static_cast<size_t>(input.tokens * input.width));
    dequantize_rows(DType::kBF16, bytes.data(), input.tokens, input.width, values.data());
    return values;
  }
  input.data = bytes.data();
  const InputPlanes planes = input_planes(input, 0);
  std::vector<float> values(static_cast<size_t>(input.tokens * input.width));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] =
        input.form == InputForm::kF32 ? planes.f32[i] : planes.scales[i / 32] * static_cast<float>(planes.q8[i]);
  }
  return values;
}

}  // namespace caravel::kernels
