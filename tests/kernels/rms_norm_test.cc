#include "kernels/rms_norm.h"

#include <algorithm>

#include "kernels/cpu/input_planes.h"
#include "kernels/input_values.h"
#include "kernels/op_testing.h"
#include "kernels/packed_weight.h"
#include "kernels/product_rows.h"
#include "kernels/ref/rms_norm.h"

namespace caravel::kernels {
namespace {

/// Each of the portable kernel's 16 lanes adds width / 16 squares; the root halves the error; then a few roundings.
double norm_tolerance(int64_t width) { return kRounding * (static_cast<double>(width) / 32 + 8); }

TEST(RmsNorm, MatchesReferenceAtEveryWidth) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const int64_t width : {1, 3, 8, 31, 64, 100, 511, 512, 513, 576, 1500}) {
      SCOPED_TRACE("width " + std::to_string(width));
      const int64_t tokens = 5;
      const auto x = random_normal(tokens * width, 1, 3.0F);
      const auto weight = random_normal(width, 2);
      const DeviceArray x_there(*machine.stream, x);
      const DeviceArray weight_there(*machine.stream, weight);
      const DeviceArray out(*machine.stream, tokens * width, NAN);
      rms_norm(*machine.stream, {.x = f32_tensor(x_there.data(), tokens, width),
                                 .weight = weight_there.data(),
                                 .epsilon = 1e-5F,
                                 .out = f32_input(out.data(), tokens, width)});
      std::vector<double> expected(x.size());
      ref::rms_norm(x.data(), weight.data(), 1e-5F, tokens, width, expected.data());
      expect_close(out.values(), expected, 0, norm_tolerance(width));
    }
  });
}

TEST(RmsNorm, TakesTheRowsAskedFor) {
  Machine machine(available_isas().back());
  const DeviceArray x(*machine.stream, random_normal(4 * 40, 3));
  const DeviceArray weight(*machine.stream, 40, 1.0F);
  const DeviceArray all(*machine.stream, 4 * 40, NAN);
  const DeviceArray picked(*machine.stream, 2 * 40, NAN);
  const DeviceArray rows(*machine.stream, std::vector<int32_t>{3, 1});
  RmsNormArgs args{.x = f32_tensor(x.data(), 4, 40), .weight = weight.data(), .out = f32_input(all.data(), 4, 40)};
  rms_norm(*machine.stream, args);
  args.rows = rows.data();
  args.out = f32_input(picked.data(), 2, 40);
  rms_norm(*machine.stream, args);
  const std::vector<float> whole = all.values();
  const std::vector<float> rest = picked.values();
  expect_same_bits(std::span(rest).first(40), std::span(whole).subspan(120, 40));
  expect_same_bits(std::span(rest).last(40), std::span(whole).subspan(40, 40));
}

/// What GEMMs of quantised weights read.
InputForm quantized_form(Device& device) { return input_form(device, DType::kQ8_0, false); }

TEST(RmsNorm, WritesEightBitInputs) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    if (quantized_form(machine.device) != InputForm::kQ8) GTEST_SKIP() << "no inputs of 8 bits";
    const int64_t tokens = 3;
    const int64_t width = 1056;  // two whole slices and a part of one
    const auto x = random_normal(tokens * width, 4);
    const auto weight = random_normal(width, 5);
    const DeviceArray x_there(*machine.stream, x);
    const DeviceArray weight_there(*machine.stream, weight);
    const FormedRows out(*machine.stream, InputForm::kQ8, tokens, width);
    rms_norm(*machine.stream,
             {.x = f32_tensor(x_there.data(), tokens, width), .weight = weight_there.data(), .out = out.rows});
    std::vector<std::byte> bytes = out.memory.values();
    GemmInput here = out.rows;
    here.data = bytes.data();
    const InputPlanes to = input_planes(here, 0);
    std::vector<double> expected(x.size());
    ref::rms_norm(x.data(), weight.data(), 1e-5F, tokens, width, expected.data());
    for (int64_t i = 0; i < tokens * width; ++i) {
      const double scale = to.scales[i / 32];
      ASSERT_NEAR(to.q8[i] * scale, expected[static_cast<size_t>(i)], scale * 0.5001) << "at " << i;
    }
    for (int64_t half = 0; half < tokens * width / 16; ++half) {
      int total = 0;
      for (int i = 0; i < 16; ++i) total += to.q8[half * 16 + i];
      ASSERT_EQ(to.totals[half], total) << "half " << half;
    }
  });
}

TEST(RmsNorm, WritesInputsOfBf16) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    if (quantized_form(machine.device) != InputForm::kBf16) GTEST_SKIP() << "no inputs of BF16";
    for (const int64_t width : {31, 96, 4096, 5120}) {
      const int64_t tokens = 3;
      const DeviceArray x(*machine.stream, random_normal(tokens * width, 4));
      const DeviceArray weight(*machine.stream, random_normal(width, 5));
      const DeviceArray exact(*machine.stream, tokens * width, NAN);
      const FormedRows out(*machine.stream, InputForm::kBf16, tokens, width);
      RmsNormArgs args{.x = f32_tensor(x.data(), tokens, width), .weight = weight.data(), .out = out.rows};
      rms_norm(*machine.stream, args);
      args.out = f32_input(exact.data(), tokens, width);
      rms_norm(*machine.stream, args);
      expect_same_bits(input_values(*machine.stream, out.rows), as_products(machine.device, exact.values()));
    }
  });
}

TEST(AddNorm, AddsTheBranchWithAndWithoutItsNorm) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const int64_t width : {7, 64, 129}) {
      const int64_t tokens = 4;
      const auto y = as_products(machine.device, random_normal(tokens * width, 6));
      const auto weight = random_normal(width, 7);
      const auto residual = random_normal(tokens * width, 8);
      for (const float* post_weight : {weight.data(), static_cast<const float*>(nullptr)}) {
        const ProductRows y_there(*machine.stream, y, width);
        const DeviceArray weight_there(*machine.stream, weight);
        const DeviceArray out(*machine.stream, residual);
        add_norm(*machine.stream, {.y = y_there.tensor(),
                                   .post_weight = post_weight == nullptr ? nullptr : weight_there.data(),
                                   .residual = f32_tensor(out.data(), tokens, width)});
        std::vector<double> expected(y.size());
        ref::add_norm(y.data(), post_weight, residual.data(), 1e-5F, tokens, width, expected.data());
        expect_close(out.values(), expected, 12 * norm_tolerance(width), kRounding);  // terms are below 12 in magnitude
      }
    }
  });
}

/// With few tokens each rank of a CPU makes a copy of its own, with the bits that all make together.
TEST(RmsNorm, GivesEachRankACopyOfFewTokens) {
  constexpr int64_t kWidth = 96;
  constexpr int kThreads = 3;
  constexpr int64_t kTokens = 5;
  const std::vector<float> x = random_normal(kTokens * kWidth, 41);
  const std::vector<float> weight = random_normal(kWidth, 42);
  for_each_isa([&](Isa isa) {
    Machine machine(isa, kThreads);
    if (machine.device.kind() != DeviceKind::kCpu) GTEST_SKIP() << "no ranks";
    const DeviceArray x_there(*machine.stream, x);
    const DeviceArray weight_there(*machine.stream, weight);
    RmsNormArgs args{.x = f32_tensor(x_there.data(), kTokens, kWidth), .weight = weight_there.data()};
    for (const InputForm form : {InputForm::kF32, quantized_form(machine.device)}) {
      const FormedRows together_there(*machine.stream, form, kTokens, kWidth);
      args.out = together_there.rows;
      rms_norm(*machine.stream, args);
      const DeviceArray apart_there =
          unwritten(*machine.stream, normed_input_bytes(machine.device, form, kTokens, kWidth));
      args.out.normed = true;
      args.out.data = apart_there.data();
      rms_norm(*machine.stream, args);
      const std::vector<std::byte> together = together_there.memory.values();
      const std::vector<std::byte> apart = apart_there.values();
      for (size_t rank = 0; rank < kThreads; ++rank) {
        const auto own = std::span(apart).subspan(rank * together.size(), together.size());
        EXPECT_TRUE(std::ranges::equal(own, together)) << "rank " << rank;
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
