#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "device/device_array.h"
#include "kernels/gemm.h"
#include "kernels/half.h"

namespace caravel::kernels {

inline uint16_t nearest_bfloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

/// The largest relative error of one rounding to what kernels hand on.
inline double product_rounding(Device& device) { return product_dtype(device) == DType::kBF16 ? 0x1p-8 : 0x1p-24; }

/// As the device's kernels hand them on.
inline std::vector<float> as_products(Device& device, std::vector<float> values) {
  if (product_dtype(device) == DType::kBF16) {
    for (float& value : values) value = bfloat_to_float(nearest_bfloat(value));
  }
  return values;
}

/// Rows in product_dtype(), in memory of the device.
class ProductRows {
 public:
  ProductRows(Stream& stream, const std::vector<float>& values, int64_t width)
      : bf16_(product_dtype(stream.device()) == DType::kBF16),
        floats_(stream, bf16_ ? std::vector<float>() : values),
        bfloats_(stream, bf16_ ? rounded(values) : std::vector<uint16_t>()),
        tensor_(make_tensor(bf16_ ? static_cast<void*>(bfloats_.data()) : floats_.data(),
                            bf16_ ? DType::kBF16 : DType::kF32, static_cast<int64_t>(values.size()) / width, width)) {}

  const Tensor& tensor() const { return tensor_; }
  std::vector<float> values() const {
    if (!bf16_) return floats_.values();
    std::vector<float> values;
    for (const uint16_t bits : bfloats_.values()) values.push_back(bfloat_to_float(bits));
    return values;
  }

 private:
  static std::vector<uint16_t> rounded(const std::vector<float>& values) {
    std::vector<uint16_t> bits;
    for (const float value : values) bits.push_back(nearest_bfloat(value));
    return bits;
  }

  bool bf16_;
  DeviceArray<float> floats_;
  DeviceArray<uint16_t> bfloats_;
  Tensor tensor_;
};

}  // namespace caravel::kernels
