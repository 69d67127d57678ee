#include "kernels/dequantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fixtures.h"

namespace caravel::kernels {
namespace {

std::vector<char> read_fixture(const std::string& name) {
  std::ifstream file(tests::fixtures() + "/block_formats/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class DequantizeTest : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(All, DequantizeTest,
                         testing::Values(DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,
                                         DType::kQ5_1, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K,
                                         DType::kMXFP4),
                         [](const auto& param) { return std::string(dtype_info(param.param).name); });

// The fixtures are written by tests/fixtures/make_block_formats.py from the pip package `gguf`.
TEST_P(DequantizeTest, MeansWhatGgufMeans) {
  const std::string name(dtype_info(GetParam()).name);
  const std::vector<char> blocks = read_fixture(name + ".blocks");
  const std::vector<char> golden = read_fixture(name + ".f32");
  ASSERT_FALSE(golden.empty());
  std::vector<float> want(golden.size() / 4);
  std::memcpy(want.data(), golden.data(), golden.size());
  const auto width = static_cast<int64_t>(want.size()) / 2;
  ASSERT_EQ(static_cast<int64_t>(blocks.size()), 2 * row_bytes(GetParam(), width));
  std::vector<float> got(want.size());
  dequantize_rows(GetParam(), reinterpret_cast<const std::byte*>(blocks.data()), 2, width, got.data());
  for (size_t i = 0; i < want.size(); ++i) ASSERT_EQ(got[i], want[i]) << "element " << i;
}

// By the definition: sign, four bits of exponent (bias 7, denormal where they are 0) and three of mantissa.
TEST(Dequantize, EightBitFloatsAreWhatTheirBitsSay) {
  std::vector<std::byte> codes;
  for (int code = 0; code < 256; ++code) codes.push_back(static_cast<std::byte>(code));
  const std::vector<float> scales = {0.5F, -3.0F};
  std::vector<float> got(256);
  dequantize_rows({codes.data(), DType::kF8E4M3B128, 1, 0, scales.data()}, 256, got.data());
  for (int code = 0; code < 256; ++code) {
    const int exponent = code >> 3 & 15;
    const double size = exponent == 0 ? std::ldexp(code & 7, -9) : std::ldexp(8 + (code & 7), exponent - 10);
    EXPECT_EQ(got[static_cast<size_t>(code)], (code < 128 ? 0.5 * size : 3.0 * size)) << code;
  }
}

TEST(Dequantize, RowsHaveScalesOfTheirOwn) {
  const std::vector<std::byte> ones(3 * 5, std::byte{0x38});
  const std::vector<float> scales = {2.0F, 3.0F, 4.0F};
  std::vector<float> got(3 * 3);
  dequantize_rows({ones.data(), DType::kF8E4M3, 3, 5, scales.data()}, 3, got.data());
  EXPECT_EQ(got, (std::vector<float>{2, 2, 2, 3, 3, 3, 4, 4, 4}));
}

}  // namespace
}  // namespace caravel::kernels
