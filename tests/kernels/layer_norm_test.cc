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
      const DeviceArray x_there(*machine.stream, x);
      const DeviceArray weight_there(*machine.stream, weight);
      const DeviceArray bias_there(*machine.stream, bias);
      const DeviceArray out(*machine.stream, tokens * width, NAN);
      layer_norm(*machine.stream, {.x = f32_tensor(x_there.data(), tokens, width),
                                   .weight = weight_there.data(),
                                   .bias = bias_there.data(),
                                   .epsilon = 1e-12F,
                                   .out = f32_tensor(out.data(), tokens, width)});
      std::vector<double> expected(x.size());
      ref::layer_norm(x.data(), nullptr, weight.data(), bias.data(), 1e-12F, tokens, width, expected.data());
      expect_close(out.values(), expected, 4 * layer_norm_tolerance(width), layer_norm_tolerance(width));
    }
  });
}

TEST(LayerNorm, AddsTheRowsOfATableFirst) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const int64_t width = 37;
    const std::vector<int32_t> rows = {2, 0, 2, 3};
    const auto x = random_normal(4 * width, 1);
    const auto table = random_normal(4 * width, 2);
    const std::vector<float> weight(static_cast<size_t>(width), 1.0F);
    const std::vector<float> bias(static_cast<size_t>(width), 0.5F);
    std::vector<float> added;
    for (const int32_t row : rows) added.insert(added.end(), &table[row * width], &table[row * width] + width);
    std::vector<double> expected(x.size());
    ref::layer_norm(x.data(), added.data(), weight.data(), bias.data(), 1e-5F, 4, width, expected.data());
    const DeviceArray x_there(*machine.stream, x);
    const DeviceArray table_there(*machine.stream, table);
    const DeviceArray rows_there(*machine.stream, rows);
    const DeviceArray weight_there(*machine.stream, weight);
    const DeviceArray bias_there(*machine.stream, bias);
    layer_norm(*machine.stream, {.x = f32_tensor(x_there.data(), 4, width),
                                 .table = table_there.data(),
                                 .table_rows = rows_there.data(),
                                 .weight = weight_there.data(),
                                 .bias = bias_there.data(),
                                 .epsilon = 1e-5F,
                                 .out = f32_tensor(x_there.data(), 4, width)});
    expect_close(x_there.values(), expected, 4 * layer_norm_tolerance(width), layer_norm_tolerance(width));
  });
}

TEST(LayerNorm, TheCopyIsWhatQuantizingItsOutputGives) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const int64_t width = 96;
    const int64_t tokens = 7;
    const DeviceArray x(*machine.stream, random_normal(tokens * width, 1));
    const DeviceArray weight(*machine.stream, random_normal(width, 2));
    const DeviceArray bias(*machine.stream, random_normal(width, 3));
    const DeviceArray out(*machine.stream, tokens * width, NAN);
    const InputForm form = input_form(machine.device, DType::kQ8_0, false);
    const FormedRows copy(*machine.stream, form, tokens, width);
    layer_norm(*machine.stream, {.x = f32_tensor(x.data(), tokens, width),
                                 .weight = weight.data(),
                                 .bias = bias.data(),
                                 .out = f32_tensor(out.data(), tokens, width),
                                 .copy = copy.rows});
    EXPECT_EQ(copy.memory.values(), FormedRows(*machine.stream, form, out.values(), width).memory.values());
  });
}

// A decoder's residual stream stays as it is: of chosen rows, what is normed in place elsewhere is written in the form
// of the next GEMM alone, to the bit. Wider than what a kernel keeps on its stack.
TEST(LayerNorm, ACopyAloneIsTheSame) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const int64_t width = 1120;
    const auto x = random_normal(5 * width, 1, 3.0F);
    const DeviceArray x_there(*machine.stream, x);
    const DeviceArray rows(*machine.stream, std::vector<int32_t>{4, 0, 4});
    const DeviceArray weight(*machine.stream, random_normal(width, 2));
    const DeviceArray bias(*machine.stream, random_normal(width, 3));
    const DeviceArray all(*machine.stream, 5 * width, NAN);
    const LayerNormArgs args = {
        .x = f32_tensor(x_there.data(), 5, width), .weight = weight.data(), .bias = bias.data()};
    LayerNormArgs whole = args;
    whole.out = f32_tensor(all.data(), 5, width);
    layer_norm(*machine.stream, whole);
    std::vector<float> expected;
    for (const int64_t row : {4, 0, 4}) {
      const auto values = all.values();
      expected.insert(expected.end(), values.begin() + row * width, values.begin() + (row + 1) * width);
    }
    for (const InputForm form : input_forms(machine.device)) {
      const FormedRows copy(*machine.stream, form, 3, width);
      LayerNormArgs chosen = args;
      chosen.rows = rows.data();
      chosen.copy = copy.rows;
      layer_norm(*machine.stream, chosen);
      EXPECT_EQ(copy.memory.values(), FormedRows(*machine.stream, form, expected, width).memory.values());
    }
    EXPECT_EQ(x_there.values(), x);
  });
}

}  // namespace
}  // namespace caravel::kernels
