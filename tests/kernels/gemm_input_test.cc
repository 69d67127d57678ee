#include "kernels/gemm_input.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/input_planes.h"
#include "kernels/op_testing.h"
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
  for (const Isa isa : available_isas()) {
    Machine machine(isa);
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

}  // namespace
}  // namespace caravel::kernels
