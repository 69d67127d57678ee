#include "kernels/dummy_rows.h"

#include "device/device_array.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

std::vector<std::byte> made_rows(const DummyRows& dummy, DType dtype, int64_t rows, int64_t in, int64_t stride = 0) {
  std::vector<std::byte> bytes(static_cast<size_t>(rows * row_bytes(dtype, in)));
  make_dummy_rows(dummy, dtype, rows, in, stride, bytes.data());
  return bytes;
}

/// Of rows that have some apart.
std::vector<float> made_scales(DType dtype, int64_t rows, int64_t in) {
  return std::vector<float>(static_cast<size_t>(rows * row_scales(dtype, in)), dummy_format(dtype).scale);
}

class DummyRowsTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, DummyRowsTest, every_isa_and_type(), weight_test_name);

// Also a part of a larger weight's rows and columns, and more of them than a piece on its way to a device holds.
TEST_P(DummyRowsTest, ADeviceMakesTheHosts) {
  const int64_t in = 3 * std::max<int64_t>(block(), 32);
  const int64_t stride = row_bytes(dtype(), in + 2 * block());
  const DummyRows dummy = {.key = 77, .begin = 5 * stride + row_bytes(dtype(), block())};
  for (const int64_t rows : {45, 40'003}) {
    if (rows > 45 && isa() != available_isas().back()) continue;
    const std::vector<std::byte> bytes = made_rows(dummy, dtype(), rows, in, stride);
    const std::vector<float> scales = made_scales(dtype(), rows, in);
    const WeightRows of_host[] = {{.data = bytes.data(), .dtype = dtype(), .rows = rows, .scales = scales.data()}};
    const WeightRows of_device[] = {{.dtype = dtype(), .rows = rows, .stride = stride, .dummy = dummy}};
    const PackedWeight expected = pack_weight(stream_, of_host, in);
    const PackedWeight packed = pack_weight(stream_, of_device, in);
    EXPECT_EQ(download(stream_, packed.data(), packed.bytes()), download(stream_, expected.data(), expected.bytes()));
  }
}

TEST(DummyRows, APartIsAsInTheWhole) {
  for (const DType dtype : kAllTypes) {
    const int64_t unit = dtype_info(dtype).block_elements;
    const int64_t stride = row_bytes(dtype, 7 * unit);
    const int64_t width = row_bytes(dtype, 2 * unit);
    const std::vector<std::byte> whole = made_rows({.key = 5}, dtype, 6, 7 * unit);
    const int64_t begin = 2 * stride + row_bytes(dtype, 3 * unit);
    const std::vector<std::byte> part = made_rows({.key = 5, .begin = begin}, dtype, 3, 2 * unit, stride);
    for (int64_t row = 0; row < 3; ++row) {
      EXPECT_TRUE(std::equal(part.begin() + row * width, part.begin() + (row + 1) * width,
                             whole.begin() + begin + row * stride))
          << dtype_info(dtype).name << ", row " << row;
    }
  }
}

TEST(DummyRows, ValuesAreSmallAndCentred) {
  constexpr int64_t kRows = 64;
  constexpr int64_t kIn = 1024;
  std::vector<float> plain;
  for (const DType dtype : kAllTypes) {
    const std::vector<std::byte> rows = made_rows({.key = 9}, dtype, kRows, kIn);
    const std::vector<float> scales = made_scales(dtype, kRows, kIn);
    const std::vector<float> values =
        dequantized({.data = rows.data(), .dtype = dtype, .rows = kRows, .scales = scales.data()}, kIn);
    double sum = 0;
    double squares = 0;
    for (const float value : values) {
      sum += value;
      squares += double{value} * value;
    }
    const double mean = sum / static_cast<double>(values.size());
    const double deviation = std::sqrt(squares / static_cast<double>(values.size()) - mean * mean);
    EXPECT_LT(std::abs(mean), deviation / 8) << dtype_info(dtype).name;  // levels of 4 bits are -8 to 7
    EXPECT_GT(deviation, 0x1p-6 * 0.9) << dtype_info(dtype).name;
    EXPECT_LT(deviation, 0x1p-6 * 1.5) << dtype_info(dtype).name;
    if (is_quantized(dtype) || is_float8(dtype)) continue;
    if (plain.empty()) plain = values;
    EXPECT_EQ(values, plain) << dtype_info(dtype).name << ": types without blocks have the same values";
  }
}

}  // namespace
}  // namespace caravel::kernels
