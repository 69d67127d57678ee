#include <algorithm>
#include <span>

#include "kernels/gemm.h"
#include "kernels/input_values.h"
#include "kernels/op_testing.h"
#include "kernels/random_weights.h"
#include "kernels/ref/activation.h"

namespace caravel::kernels {
namespace {

/// gated_gemm of tokens whose gate and up are given, [tokens, 2 * width]: token t is a unit vector, which picks column
/// t of the weight.
std::vector<float> gated(Machine& machine, Activation activation, const std::vector<float>& gate_up, int64_t width) {
  const int64_t tokens = static_cast<int64_t>(gate_up.size()) / (2 * width);
  std::vector<float> columns(gate_up.size());
  std::vector<float> unit(static_cast<size_t>(tokens * tokens), 0.0F);
  for (int64_t t = 0; t < tokens; ++t) {
    unit[static_cast<size_t>(t * tokens + t)] = 1.0F;
    for (int64_t i = 0; i < 2 * width; ++i) {
      columns[static_cast<size_t>(i * tokens + t)] = gate_up[static_cast<size_t>(t * 2 * width + i)];
    }
  }
  const auto* const bytes = reinterpret_cast<const std::byte*>(columns.data());
  const std::vector<WeightRows> parts = {{bytes, DType::kF32, width}, {bytes + width * tokens * 4, DType::kF32, width}};
  const PackedWeight weight = pack_weight(*machine.stream, parts, tokens);
  const DeviceArray units(*machine.stream, unit);
  const DeviceArray out(*machine.stream, tokens * width, NAN);
  gated_gemm(*machine.stream, {.weight = &weight,
                               .input = f32_input(units.data(), tokens, tokens),
                               .activation = activation,
                               .out = f32_input(out.data(), tokens, width)});
  return out.values();
}

TEST(GatedGemm, MatchesReferenceOverTheWholeRange) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const Activation activation :
         {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu, Activation::kClampedSilu, Activation::kRelu}) {
      for (const int64_t width : {1, 15, 512, 517, 4001}) {
        SCOPED_TRACE("width " + std::to_string(width));
        const int64_t tokens = 3;
        std::vector<float> gate_up(static_cast<size_t>(tokens * 2 * width));
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t i = 0; i < width; ++i) {
            const double place = static_cast<double>(t * width + i) / static_cast<double>(tokens * width);
            gate_up[static_cast<size_t>(t * 2 * width + i)] = static_cast<float>(-12 + 24 * place);
            gate_up[static_cast<size_t>((t * 2 + 1) * width + i)] = static_cast<float>(1.5 - place);
          }
        }
        const std::vector<float> out = gated(machine, activation, gate_up, width);
        std::vector<double> expected(out.size());
        ref::gated_activation(activation, gate_up.data(), tokens, width, expected.data());
        // An exponent's rounding counts times its size: up to 12 of SiLU, 21 of the clamped one, 2 * 70 of GELU at |x|
        // = 12, whose reference itself cancels below 1e-14.
        const bool gelu = activation == Activation::kGeluTanh || activation == Activation::kGelu;
        const bool clamped = activation == Activation::kClampedSilu;
        expect_close(out, expected, gelu ? 1e-13 : 0, kRounding * (gelu ? 12 + 4 * 140 : clamped ? 12 + 2 * 21 : 12));
      }
    }
  });
}

/// Whatever the weight's type and the form of the output, and over tiles, chunks of tokens and threads.
TEST(GatedGemm, GivesTheBitsOfItsParts) {
  constexpr int64_t kIn = 64;
  constexpr int64_t kWidth = 96;
  constexpr int64_t kTokens = 101;
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    const std::vector<float> x = random_normal(kTokens * kIn, 5);
    const InputForm quantized = input_form(machine.device, DType::kQ8_0, false);
    for (const DType dtype : {DType::kQ4_1, DType::kQ8_0, DType::kF16, DType::kBF16, DType::kF8E4M3}) {
      SCOPED_TRACE(dtype_info(dtype).name);
      const std::vector<std::byte> gate_rows = random_rows(dtype, kWidth, kIn, 1);
      const std::vector<std::byte> up_rows = random_rows(dtype, kWidth, kIn, 2);
      const std::vector<float> scales = random_scales(dtype, 2 * kWidth, kIn, 3);
      const std::vector<WeightRows> parts = {{gate_rows.data(), dtype, kWidth, 0, scales.data()},
                                             {up_rows.data(), dtype, kWidth, 0, scales.data() + scales.size() / 2}};
      const PackedWeight weight = pack_weight(stream, parts, kIn);
      const FormedRows input(stream, weight.input_form(), x, kIn);
      const DeviceArray gate_up(stream, kTokens * 2 * kWidth, NAN);
      gemm(stream, {.weight = &weight, .input = input.rows, .out = f32_tensor(gate_up.data(), kTokens, 2 * kWidth)});
      const std::vector<float> expected = gated(machine, Activation::kSilu, gate_up.values(), kWidth);
      const FormedRows expected_form(stream, quantized, expected, kWidth);

      const FormedRows out(stream, InputForm::kF32, kTokens, kWidth);
      gated_gemm(stream, {.weight = &weight, .input = input.rows, .out = out.rows});
      const FormedRows out_form(stream, quantized, kTokens, kWidth);
      gated_gemm(stream, {.weight = &weight, .input = input.rows, .out = out_form.rows});
      EXPECT_EQ(input_values(stream, out.rows), expected);
      EXPECT_EQ(out_form.memory.values(), expected_form.memory.values());
    }
  });
}

/// Of rows that a GPU's processors take a tile of each.
TEST(GatedGemm, GivesTheSameBitsInTilesOfAnySize) {
  constexpr int64_t kIn = 64;
  constexpr int64_t kWidth = 6000;
  constexpr int64_t kFew = 8;
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    const std::vector<std::byte> gate_rows = random_rows(DType::kBF16, kWidth, kIn, 1);
    const std::vector<std::byte> up_rows = random_rows(DType::kBF16, kWidth, kIn, 2);
    const std::vector<WeightRows> parts = {{gate_rows.data(), DType::kBF16, kWidth},
                                           {up_rows.data(), DType::kBF16, kWidth}};
    const PackedWeight weight = pack_weight(stream, parts, kIn);
    const auto product = [&](const std::vector<float>& x) {
      const auto tokens = static_cast<int64_t>(x.size()) / kIn;
      const FormedRows input(stream, weight.input_form(), x, kIn);
      const FormedRows out(stream, input_form(machine.device, DType::kBF16, false), tokens, kWidth);
      gated_gemm(stream, {.weight = &weight, .input = input.rows, .out = out.rows});
      return input_values(stream, out.rows);
    };
    for (const int64_t tokens : {90, 125, 190, 250}) {
      const std::vector<float> x = random_normal(tokens * kIn, 5);
      const auto all = product(x);
      for (const int64_t begin : {int64_t{0}, tokens / 2, tokens - kFew}) {
        const std::vector<float> few(x.begin() + begin * kIn, x.begin() + (begin + kFew) * kIn);
        const auto part = product(few);
        ASSERT_TRUE(std::ranges::equal(part, std::span(all).subspan(static_cast<size_t>(begin * kWidth), part.size())))
            << tokens << " tokens, from " << begin;
      }
    }
  });
}

TEST(GatedGemm, ABiasIsAddedAsGemmAddsIt) {
  constexpr int64_t kIn = 64;
  constexpr int64_t kWidth = 45;  // the last panel is not full
  constexpr int64_t kTokens = 19;
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    Stream& stream = *machine.stream;
    const std::vector<float> x = random_normal(kTokens * kIn, 5);
    const DeviceArray bias(stream, random_normal(2 * kWidth, 6));
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      SCOPED_TRACE(dtype_info(dtype).name);
      const std::vector<std::byte> gate_rows = random_rows(dtype, kWidth, kIn, 1);
      const std::vector<std::byte> up_rows = random_rows(dtype, kWidth, kIn, 2);
      const std::vector<WeightRows> parts = {{gate_rows.data(), dtype, kWidth}, {up_rows.data(), dtype, kWidth}};
      const PackedWeight weight = pack_weight(stream, parts, kIn);
      const FormedRows input(stream, weight.input_form(), x, kIn);
      const DeviceArray gate_up(stream, kTokens * 2 * kWidth, NAN);
      gemm(stream, {.weight = &weight,
                    .input = input.rows,
                    .bias = bias.data(),
                    .out = f32_tensor(gate_up.data(), kTokens, 2 * kWidth)});
      const std::vector<float> expected = gated(machine, Activation::kGelu, gate_up.values(), kWidth);
      const DeviceArray out(stream, kTokens * kWidth, NAN);
      gated_gemm(stream, {.weight = &weight,
                          .input = input.rows,
                          .bias = bias.data(),
                          .activation = Activation::kGelu,
                          .out = f32_input(out.data(), kTokens, kWidth)});
      EXPECT_EQ(out.values(), expected);
    }
  });
}

TEST(ActivatedGemm, IsGemmAndThenTheActivation) {
  constexpr int64_t kIn = 64;
  constexpr int64_t kTokens = 101;
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    const std::vector<float> x = random_normal(kTokens * kIn, 5);
    for (const int64_t width : {96, 45}) {  // the last panel of the second is not full
      const DeviceArray bias(stream, random_normal(width, 6));
      for (const DType dtype : {DType::kF32, DType::kQ8_0}) {
        SCOPED_TRACE(dtype_info(dtype).name);
        const std::vector<std::byte> rows = random_rows(dtype, width, kIn, 1);
        const std::vector<WeightRows> parts = {{rows.data(), dtype, width}};
        const PackedWeight weight = pack_weight(stream, parts, kIn);
        const FormedRows input(stream, weight.input_form(), x, kIn);
        const DeviceArray sums_there(stream, kTokens * width, NAN);
        gemm(stream, {.weight = &weight,
                      .input = input.rows,
                      .bias = bias.data(),
                      .out = f32_tensor(sums_there.data(), kTokens, width)});
        const std::vector<float> sums = sums_there.values();
        const DeviceArray out(stream, kTokens * width, NAN);
        activated_gemm(stream, {.weight = &weight,
                                .input = input.rows,
                                .bias = bias.data(),
                                .out = f32_input(out.data(), kTokens, width)});
        // gated() multiplies by its second half, which is ones here.
        std::vector<float> gate_up;
        for (int64_t t = 0; t < kTokens; ++t) {
          gate_up.insert(gate_up.end(), sums.begin() + t * width, sums.begin() + (t + 1) * width);
          gate_up.insert(gate_up.end(), static_cast<size_t>(width), 1.0F);
        }
        std::vector<double> expected(out.size());
        ref::gated_activation(Activation::kGelu, gate_up.data(), kTokens, width, expected.data());
        expect_close(out.values(), expected, 1e-13, kRounding * (12 + 4 * 140));
      }
    }
  });
}

TEST(GatedGemm, AClampBoundsGateAboveAndUpOnBothSides) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const std::vector<float> gate_up = {9, 7, 7, 0.5F, NAN, 0.5F, 1, 100, -100, 7, 0, NAN};
    const std::vector<float> out = gated(machine, Activation::kClampedSilu, gate_up, 6);
    std::vector<double> expected(out.size());
    ref::gated_activation(Activation::kClampedSilu, gate_up.data(), 1, 6, expected.data());
    expect_close(std::span(out).first(4), std::span(expected).first(4), 0, 16 * kRounding);
    EXPECT_TRUE(std::isnan(out[4]) && std::isnan(out[5]));
  });
}

TEST(GatedGemm, FarEndsStayFinite) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
      const std::vector<float> gate_up = {-1e4F, -200.0F, 0.0F, 200.0F, 1, 1, 1, 1};
      EXPECT_EQ(gated(machine, activation, gate_up, 4), (std::vector<float>{0.0F, 0.0F, 0.0F, 200.0F}));
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
