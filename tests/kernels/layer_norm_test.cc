#include "kernels/layer_norm.h"

#include "kernels/op_testing.h"
#include "kernels/ref/layer_norm.h"

namespace caravel::kernels {
namespace {

/// What a mean of `width` numbers in 4 lanes or more may be off, and a few roundings, by the size of the largest: the
/// center is taken from numbers that may be larger than what is left.
double layer_norm_tolerance(int64_t width) { return kRounding * (static_cast<double>(width) / 4 + 32); }

TEST(LayerNorm, MatchesReferenceAtEveryWidth) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const int64_t width : {1, 3, 8, 31, 64, 100, 384, 513, 1024}) {
      SCOPED_TRACE("width " + std::to_string(width));
      const int64_t tokens = 5;
      const auto x = random_normal(tokens * width, 1, 3.0F);
      const auto weight = random_normal(width, 2);
      const auto bias = random_normal(width, 3);
      std::vector<float> out(x.size());
      layer_norm(*machine.stream, {.x = f32_tensor(x.data(), tokens, width),
                                   .weight = weight.data(),
                                   .bias = bias.data(),
                                   .epsilon = 1e-12F,
                                   .out = f32_tensor(out.data(), tokens, width)});
      machine.stream->synchronize();
      std::vector<double> expected(x.size());
      ref::layer_norm(x.data(), nullptr, weight.data(), bias.data(), 1e-12F, tokens, width, expected.data());
      expect_close(out, expected, 4 * layer_norm_tolerance(width), layer_norm_tolerance(width));
    }
  });
}

TEST(LayerNorm, AddsTheRowsOfATableFirst) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const int64_t width = 37;
    const std::vector<int32_t> rows = {2, 0, 2, 3};
    auto x = random_normal(4 * width, 1);
    const auto table = random_normal(4 * width, 2);
    const std::vector<float> weight(static_cast<size_t>(width), 1.0F);
    const std::vector<float> bias(static_cast<size_t>(width), 0.5F);
    std::vector<float> added;
    for (const int32_t row : rows) added.insert(added.end(), &table[row * width], &table[row * width] + width);
    std::vector<double> expected(x.size());
    ref::layer_norm(x.data(), added.data(), weight.data(), bias.data(), 1e-5F, 4, width, expected.data());
    layer_norm(*machine.stream, {.x = f32_tensor(x.data(), 4, width),
                                 .table = table.data(),
                                 .table_rows = rows.data(),
                                 .weight = weight.data(),
                                 .bias = bias.data(),
                                 .epsilon = 1e-5F,
                                 .out = f32_tensor(x.data(), 4, width)});
    machine.stream->synchronize();
    expect_close(x, expected, 4 * layer_norm_tolerance(width), layer_norm_tolerance(width));
  });
}

TEST(LayerNorm, TheCopyIsWhatQuantizingItsOutputGives) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const int64_t width = 96;
    const int64_t tokens = 7;
    const auto x = random_normal(tokens * width, 1);
    const auto weight = random_normal(width, 2);
    const auto bias = random_normal(width, 3);
    std::vector<float> out(x.size());
    const size_t bytes = gemm_input_bytes(machine.device, InputForm::kQ8, tokens, width);
    const Buffer copied = machine.device.allocate(bytes);
    const Buffer quantized = machine.device.allocate(bytes);
    GemmInput copy{.form = InputForm::kQ8, .tokens = tokens, .width = width, .data = copied.address()};
    layer_norm(*machine.stream, {.x = f32_tensor(x.data(), tokens, width),
                                 .weight = weight.data(),
                                 .bias = bias.data(),
                                 .out = f32_tensor(out.data(), tokens, width),
                                 .copy = copy});
    copy.data = quantized.address();
    quantize_input(*machine.stream, f32_tensor(out.data(), tokens, width), copy);
    machine.stream->synchronize();
    EXPECT_EQ(0, std::memcmp(copied.address(), quantized.address(), bytes));
  });
}

}  // namespace
}  // namespace caravel::kernels
