#include "base/float_vector.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace caravel {

std::vector<float> unit_vector(std::vector<float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  if (sum == 0) return values;
  for (float& value : values) value = static_cast<float>(value / std::sqrt(sum));
  return values;
}

std::string little_endian(std::span<const float> values) {
  std::string bytes;
  bytes.reserve(values.size() * sizeof(float));
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  }
  return bytes;
}

}  // namespace caravel
