#include "kernels/quantize_rows.h"

#include "kernels/dequantize.h"
#include "kernels/gemm.h"
#include "kernels/op_testing.h"

namespace caravel::kernels {
namespace {

TEST(QuantizeRows, ALevelIsTheNearestToEachValue) {
  const int64_t rows = 3;
  const int64_t width = 96;
  std::vector<float> x = random_normal(rows * width, 1);
  std::fill_n(x.begin(), 32, 0.0F);
  std::vector<std::byte> blocks(static_cast<size_t>(rows * row_bytes(DType::kQ8_0, width)));
  quantize_rows_q8_0(x.data(), rows, width, blocks.data());
  std::vector<float> back(x.size());
  dequantize_rows(DType::kQ8_0, blocks.data(), rows, width, back.data());
  for (size_t i = 0; i < x.size(); ++i) {
    float most = 0;
    for (size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j) most = std::max(most, std::abs(x[j]));
    // Half a level, and of the largest what rounding the scale to f16 may take.
    EXPECT_LE(std::abs(back[i] - x[i]), most / 127 * (0.5F + 127 * 0x1p-11F)) << i;
  }
}

TEST(QuantizeRows, AnEightBitFloatIsTheNearestToEachValue) {
  const int64_t rows = 3;
  const int64_t width = 1000;
  std::vector<float> x = random_normal(rows * width, 1);
  for (size_t i = 0; i < 300; ++i) x[i] = std::ldexp(x[i], -static_cast<int>(i) / 20);  // down to denormal ones
  std::fill_n(x.begin() + 2 * width, width, 0.0F);
  std::vector<std::byte> codes(x.size());
  std::vector<float> scales(rows);
  quantize_rows_f8(x.data(), rows, width, codes.data(), scales.data());
  std::vector<float> back(x.size());
  dequantize_rows({codes.data(), DType::kF8E4M3, rows, 0, scales.data()}, width, back.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const float step = std::max(0x1p-10F * scales[i / width], 0x1p-4F * std::abs(x[i]));
    EXPECT_LE(std::abs(back[i] - x[i]), step * (1 + 0x1p-20F)) << i;
  }
}

TEST(QuantizeRows, EveryEightBitFloatIsItself) {
  std::vector<std::byte> codes;
  for (int code = 0; code < 256; ++code) {
    if (code % 128 < 127) codes.push_back(static_cast<std::byte>(code));  // but NaN's
  }
  const auto width = static_cast<int64_t>(codes.size());
  std::vector<float> values(codes.size());
  dequantize_rows(DType::kF8E4M3, codes.data(), 1, width, values.data());
  std::vector<std::byte> again(codes.size());
  float scale = 0;
  quantize_rows_f8(values.data(), 1, width, again.data(), &scale);
  EXPECT_EQ(scale, 1.0F);
  EXPECT_EQ(again, codes);
}

TEST(QuantizeRows, ABFloatIsTheNearestToEachValue) {
  std::vector<float> x = random_normal(1000, 1);
  x.insert(x.end(), {1.0F + 0x1p-8F, 1.0F + 3 * 0x1p-8F, 0x1.fffffep127F, -0.0F, NAN});  // ties; what is too large
  std::vector<std::byte> rounded(2 * x.size());
  round_rows_bf16(x.data(), 1, static_cast<int64_t>(x.size()), rounded.data());
  std::vector<float> back(x.size());
  dequantize_rows(DType::kBF16, rounded.data(), 1, static_cast<int64_t>(x.size()), back.data());
  for (size_t i = 0; i < 1000; ++i) EXPECT_LE(std::abs(back[i] - x[i]), 0x1p-8F * std::abs(x[i])) << i;
  EXPECT_EQ(std::vector(back.begin() + 1000, back.begin() + 1004),
            (std::vector{1.0F, 1.0F + 4 * 0x1p-8F, INFINITY, -0.0F}));
  EXPECT_TRUE(std::isnan(back.back()));
}

/// The reason for rotating: one element that is far larger than the others of its block.
TEST(QuantizeRows, RotatedWeightsAndInputsGiveTheirProductMoreExactly) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    Stream& stream = *machine.stream;
    if (input_form(machine.device, DType::kQ8_0, false) != InputForm::kQ8) GTEST_SKIP() << "no inputs of 8 bits";
    const int64_t in = 128;
    const int64_t out = 70;
    const int64_t tokens = 9;
    std::vector<float> weight = random_normal(out * in, 1);
    std::vector<float> x = random_normal(tokens * in, 2);
    for (int64_t t = 0; t < tokens; ++t) x[static_cast<size_t>(t * in + 17)] = 40;
    const auto error_of = [&](bool rotated) {
      std::vector<float> rows = weight;
      if (rotated) rotate_rows(rows.data(), out, in);
      std::vector<std::byte> blocks(static_cast<size_t>(out * row_bytes(DType::kQ8_0, in)));
      quantize_rows_q8_0(rows.data(), out, in, blocks.data());
      const std::vector<WeightRows> stack = {{blocks.data(), DType::kQ8_0, out}};
      const PackedWeight packed = pack_weight(stream, stack, in, rotated);
      const FormedRows input(stream, packed.input_form(), x, in);
      const DeviceArray there(stream, tokens * out, NAN);
      gemm(stream, {.weight = &packed, .input = input.rows, .out = f32_tensor(there.data(), tokens, out)});
      const std::vector<float> y = there.values();
      double squares = 0;
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t o = 0; o < out; ++o) {
          double sum = 0;
          for (int64_t i = 0; i < in; ++i) {
            sum += static_cast<double>(weight[static_cast<size_t>(o * in + i)]) * x[static_cast<size_t>(t * in + i)];
          }
          squares += std::pow(y[static_cast<size_t>(t * out + o)] - sum, 2);
        }
      }
      return std::sqrt(squares / static_cast<double>(tokens * out));
    };
    EXPECT_LT(error_of(true), error_of(false) / 2);
  });
}

}  // namespace
}  // namespace caravel::kernels
