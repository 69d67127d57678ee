#include "kernels/gemm_input.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/input_planes.h"
#include "kernels/input_values.h"
#include "kernels/op_testing.h"
#include "kernels/packed_weight.h"
#include "kernels/random_weights.h"

namespace caravel::kernels {
namespace {

TEST(QuantizeInput, IsTheSameOnEveryIsaAndHalfAStepFromTheValues) {
  const int64_t width = 96;
  std::vector<float> x = random_floats(5 * width, 11);
  std::fill(x.begin() + 32, x.begin() + 64, 0.0F);  // a block of zeros
  x[0] = 4.0F;                                      // and ties: 2.5 steps of 4 / 127
  for (int i = 1; i < 32; ++i) x[static_cast<size_t>(i)] = 4.0F / 127 * (static_cast<float>(i % 5) + 0.5F);
  std::vector<std::byte> first;
  for (const Isa isa : tested_isas()) {
    Machine machine(isa);
    if (input_form(machine.device, DType::kQ8_0, false) != InputForm::kQ8) GTEST_SKIP() << "no inputs of 8 bits";
    const FormedRows formed(*machine.stream, InputForm::kQ8, x, width);
    std::vector<std::byte> bytes = formed.memory.values();
    GemmInput here = formed.rows;
    here.data = bytes.data();
    const InputPlanes input = input_planes(here, 0);
    for (int64_t b = 0; b < 5 * width / 32; ++b) {
      float largest = 0;
      int totals[2] = {0, 0};
      for (int64_t i = 32 * b; i < 32 * b + 32; ++i) {
        largest = std::max(largest, std::abs(x[static_cast<size_t>(i)]));
        totals[i % 32 / 16] += input.q8[i];
        EXPECT_NEAR(input.q8[i] * input.scales[b], x[static_cast<size_t>(i)], input.scales[b] * 0.5001)
            << "element " << i;
      }
      EXPECT_EQ(input.scales[b], largest / 127);
      EXPECT_EQ(input.totals[2 * b], totals[0]);
      EXPECT_EQ(input.totals[2 * b + 1], totals[1]);
      EXPECT_EQ(input.sums[b], input.scales[b] * static_cast<float>(totals[0] + totals[1]));
    }
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first) << isa_name(isa);
  }
}

TEST(QuantizeInput, Bf16IsTheNearest) {
  Machine machine(Isa::kPortable);
  Stream& stream = *machine.stream;
  if (input_form(machine.device, DType::kBF16, false) != InputForm::kBf16) GTEST_SKIP() << "no inputs of BF16";
  const int64_t width = 77;
  const int64_t tokens = 9;
  const int64_t stride = 80;
  std::vector<float> x = random_floats(static_cast<size_t>(tokens * stride), 11);
  x[0] = 1.0F + 0x1p-8F;    // half way: to the even one below
  x[1] = 1.0F + 0x1.8p-7F;  // and to the even one above
  x[2] = -0.0F;
  const DeviceArray there(stream, x);
  Tensor from = f32_tensor(there.data(), tokens, width);
  from.stride = stride;
  const FormedRows rows(stream, InputForm::kBf16, tokens, width);
  const FormedRows same(stream, InputForm::kF32, tokens, width);
  quantize_input(stream, from, rows.rows);
  quantize_input(stream, from, same.rows);
  const std::vector<float> got = input_values(stream, rows.rows);
  const std::vector<float> kept = input_values(stream, same.rows);
  EXPECT_EQ(got[0], 1.0F);
  EXPECT_EQ(got[1], 1.0F + 0x1p-6F);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) {
      const float want = x[static_cast<size_t>(t * stride + i)];
      ASSERT_EQ(kept[static_cast<size_t>(t * width + i)], want);
      ASSERT_NEAR(got[static_cast<size_t>(t * width + i)], want, std::abs(want) * 0x1p-8F);
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
