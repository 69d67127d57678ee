#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/op_testing.h"
#include "kernels/packed_weight.h"
#include "kernels/random_weights.h"

namespace caravel::kernels {

/// A matrix of one or more stacked parts, as packed by a device and as values.
struct Matrix {
  PackedWeight packed;
  std::vector<float> values;  // [out, in]
};

inline Matrix make_matrix(Stream& stream, const std::vector<std::pair<DType, int64_t>>& parts, int64_t in,
                          unsigned seed = 7) {
  Matrix matrix;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::vector<float>> scales;
  std::vector<WeightRows> stacked;
  for (const auto& [dtype, rows] : parts) {
    bytes.push_back(random_rows(dtype, rows, in, seed));
    scales.push_back(random_scales(dtype, rows, in, seed++));
    stacked.push_back({bytes.back().data(), dtype, rows, 0, scales.back().data()});
    const std::vector<float> values = dequantized(stacked.back(), in);
    matrix.values.insert(matrix.values.end(), values.begin(), values.end());
  }
  matrix.packed = pack_weight(stream, stacked, in);
  return matrix;
}

/// A test on every instruction set and type of weight.
class WeightTest : public testing::TestWithParam<std::tuple<Isa, DType>> {
 protected:
  Isa isa() const { return std::get<0>(GetParam()); }
  DType dtype() const { return std::get<1>(GetParam()); }
  int64_t block() const { return dtype_info(dtype()).block_elements; }

  Machine machine_{std::get<0>(GetParam())};
  Stream& stream_ = *machine_.stream;
};

inline std::string weight_test_name(const testing::TestParamInfo<std::tuple<Isa, DType>>& param) {
  return std::string(isa_name(std::get<0>(param.param))) + "_" + std::string(dtype_info(std::get<1>(param.param)).name);
}

inline auto every_isa_and_type() {
  return testing::Combine(testing::ValuesIn(tested_isas()), testing::ValuesIn(kAllTypes));
}

}  // namespace caravel::kernels
