#include "kernels/rms_norm.h"

#include "kernels/cpu/input_planes.h"
#include "kernels/op_testing.h"
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
      std::vector<float> out(x.size());
      rms_norm(*machine.stream, {.x = f32_tensor(x.data(), tokens, width),
                                 .weight = weight.data(),
                                 .epsilon = 1e-5F,
                                 .out = f32_input(out.data(), tokens, width)});
      machine.stream->synchronize();
      std::vector<double> expected(x.size());
      ref::rms_norm(x.data(), weight.data(), 1e-5F, tokens, width, expected.data());
      expect_close(out, expected, 0, norm_tolerance(width));
    }
  });
}

TEST(RmsNorm, TakesTheRowsAskedFor) {
  Machine machine(available_isas().back());
  const auto x = random_normal(4 * 40, 3);
  const std::vector<float> weight(40, 1.0F);
  std::vector<float> all(x.size());
  std::vector<float> picked(2 * 40);
  const std::vector<int32_t> rows = {3, 1};
  RmsNormArgs args{.x = f32_tensor(x.data(), 4, 40), .weight = weight.data(), .out = f32_input(all.data(), 4, 40)};
  rms_norm(*machine.stream, args);
  args.rows = rows.data();
  args.out = f32_input(picked.data(), 2, 40);
  rms_norm(*machine.stream, args);
  machine.stream->synchronize();
  expect_same_bits(std::span(picked).first(40), std::span(all).subspan(120, 40));
  expect_same_bits(std::span(picked).last(40), std::span(all).subspan(40, 40));
}

TEST(RmsNorm, WritesEightBitInputs) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const int64_t tokens = 3;
    const int64_t width = 1056;  // two whole slices and a part of one
    const auto x = random_normal(tokens * width, 4);
    const auto weight = random_normal(width, 5);
    Buffer memory = machine.device.allocate(gemm_input_bytes(machine.device, InputForm::kQ8, tokens, width));
    const GemmInput out{.form = InputForm::kQ8, .tokens = tokens, .width = width, .data = memory.address()};
    rms_norm(*machine.stream, {.x = f32_tensor(x.data(), tokens, width), .weight = weight.data(), .out = out});
    machine.stream->synchronize();
    const InputPlanes to = input_planes(out, 0);
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

TEST(AddNorm, AddsTheBranchWithAndWithoutItsNorm) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const int64_t width : {7, 64, 129}) {
      const int64_t tokens = 4;
      const auto y = random_normal(tokens * width, 6);
      const auto weight = random_normal(width, 7);
      const auto residual = random_normal(tokens * width, 8);
      for (const float* post_weight : {weight.data(), static_cast<const float*>(nullptr)}) {
        std::vector<float> out = residual;
        add_norm(*machine.stream, {.y = f32_tensor(y.data(), tokens, width),
                                   .post_weight = post_weight,
                                   .residual = f32_tensor(out.data(), tokens, width)});
        machine.stream->synchronize();
        std::vector<double> expected(y.size());
        ref::add_norm(y.data(), post_weight, residual.data(), 1e-5F, tokens, width, expected.data());
        expect_close(out, expected, 12 * norm_tolerance(width), kRounding);  // terms are below 12 in magnitude
      }
    }
  });
}

/// With few tokens each rank makes a copy of its own, with the bits that all make together.
TEST(RmsNorm, GivesEachRankACopyOfFewTokens) {
  constexpr int64_t kWidth = 96;
  constexpr int kThreads = 3;
  constexpr int64_t kTokens = 5;
  const std::vector<float> x = random_normal(kTokens * kWidth, 41);
  const std::vector<float> weight = random_normal(kWidth, 42);
  for_each_isa([&](Isa isa) {
    Machine machine(isa, kThreads);
    RmsNormArgs args{.x = f32_tensor(x.data(), kTokens, kWidth), .weight = weight.data()};
    for (const InputForm form : {InputForm::kF32, InputForm::kQ8}) {
      const size_t bytes = gemm_input_bytes(machine.device, form, kTokens, kWidth);
      Buffer together = machine.device.allocate(bytes);
      args.out = {.form = form, .tokens = kTokens, .width = kWidth, .data = together.address()};
      rms_norm(*machine.stream, args);
      Buffer apart = machine.device.allocate(normed_input_bytes(machine.device, form, kTokens, kWidth));
      args.out.normed = true;
      args.out.data = apart.address();
      rms_norm(*machine.stream, args);
      machine.stream->synchronize();
      for (int rank = 0; rank < kThreads; ++rank) {
        EXPECT_EQ(std::memcmp(apart.address() + rank * bytes, together.address(), bytes), 0) << "rank " << rank;
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
