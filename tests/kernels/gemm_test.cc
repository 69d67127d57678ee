#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/input_values.h"
#include "kernels/ref/gemm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

FormedRows make_input(Stream& stream, const Matrix& matrix, const std::vector<float>& x) {
  return {stream, matrix.packed.input_form(), x, matrix.packed.in()};
}

std::vector<float> run(Stream& stream, const Matrix& matrix, const std::vector<float>& x,
                       const std::vector<float>& bias = {}) {
  const FormedRows input = make_input(stream, matrix, x);
  const int64_t tokens = input.rows.tokens;
  const DeviceArray out(stream, tokens * matrix.packed.out(), std::numeric_limits<float>::quiet_NaN());
  const DeviceArray bias_there(stream, bias);
  gemm(stream, {.weight = &matrix.packed,
                .input = input.rows,
                .bias = bias_there.data(),
                .out = f32_tensor(out.data(), tokens, matrix.packed.out())});
  return out.values();
}

/// Of rounding to BF16, relative.
constexpr double kBf16Rounding = 0x1p-8;

/// Per output, what f32 sums of products of this size may be off by: two roundings for each 32 inputs (for each, where
/// weights are unquantised) and a few more for scales, the terms being no larger than twice the row's largest weight.
/// Kernels that read BF16 round all weights to it.
double rounding_bound(const Matrix& matrix, const std::vector<float>& x, int64_t token, int64_t output) {
  const int64_t in = matrix.packed.in();
  double sum = 0;
  double largest = 0;
  double rounded = 0;
  for (int64_t i = 0; i < in; ++i) {
    sum += std::abs(x[static_cast<size_t>(token * in + i)]);
    largest = std::max<double>(largest, std::abs(matrix.values[static_cast<size_t>(output * in + i)]));
    if (matrix.packed.input_form() == InputForm::kBf16) {
      rounded += kBf16Rounding * std::abs(static_cast<double>(x[static_cast<size_t>(token * in + i)]) *
                                          matrix.values[static_cast<size_t>(output * in + i)]);
    }
  }
  const bool quantized = matrix.packed.input_form() == InputForm::kQ8;
  const double roundings = quantized ? 3.0 * static_cast<double>(in) / 32 + 4 : static_cast<double>(in);
  return roundings * std::numeric_limits<float>::epsilon() / 2 * 2 * largest * sum + rounded + 1e-30;
}

/// How far the form of the inputs may move an output. Of 8 bits: half a step (max / 127) of each block, by the weights
/// there.
double quantization_bound(const Matrix& matrix, const std::vector<float>& x, int64_t token, int64_t output) {
  if (matrix.packed.input_form() == InputForm::kF32) return 0;
  const int64_t in = matrix.packed.in();
  double bound = 0;
  if (matrix.packed.input_form() == InputForm::kBf16) {
    for (int64_t i = 0; i < in; ++i) {
      bound += kBf16Rounding * std::abs(static_cast<double>(x[static_cast<size_t>(token * in + i)]) *
                                        matrix.values[static_cast<size_t>(output * in + i)]);
    }
    return bound;
  }
  for (int64_t b = 0; b < in; b += 32) {
    double largest = 0;
    double weights = 0;
    for (int64_t i = b; i < b + 32; ++i) {
      largest = std::max<double>(largest, std::abs(x[static_cast<size_t>(token * in + i)]));
      weights += std::abs(matrix.values[static_cast<size_t>(output * in + i)]);
    }
    bound += largest / 254 * weights * 1.001;
  }
  return bound;
}

template <typename Bound>
void expect_within(const std::vector<float>& got, const std::vector<double>& want, int64_t out, const Bound& bound) {
  ASSERT_EQ(got.size(), want.size());
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double allowed = bound(static_cast<int64_t>(i) / out, static_cast<int64_t>(i) % out);
    const double error = std::abs(got[i] - want[i]) / allowed;
    if (!(error <= worst)) {
      worst = error;
      at = i;
    }
  }
  EXPECT_LE(worst, 1.0) << "token " << static_cast<int64_t>(at) / out << ", output " << static_cast<int64_t>(at) % out
                        << ": " << got[at] << " against " << want[at];
}

/// Tokens of tokens [tokens, width] from `begin` on.
template <typename T>
std::vector<T> tokens_of(const std::vector<T>& tokens, int64_t width, int64_t begin, int64_t count) {
  return {tokens.begin() + begin * width, tokens.begin() + (begin + count) * width};
}

class GemmTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, GemmTest, every_isa_and_type(), weight_test_name);

TEST_P(GemmTest, AgreesWithTheOracleAtAwkwardShapes) {
  // Outputs around a panel (32) and half of one; unquantised inputs of part of a chunk (128), and of several.
  const std::pair<int64_t, int64_t> shapes[] = {{1, 1}, {15, 3}, {33, 2}, {50, 5}, {31, 17}, {97, 21}};
  const int64_t token_counts[] = {1, 2, 5, 30, 7, 3};
  for (size_t s = 0; s < std::size(shapes); ++s) {
    const auto [out, in_blocks] = shapes[s];
    const int64_t in = block() == 1 ? in_blocks * 13 : in_blocks * block();
    SCOPED_TRACE(testing::Message() << "out " << out << ", in " << in << ", tokens " << token_counts[s]);
    const Matrix matrix = make_matrix(stream_, {{dtype(), out}}, in);
    const std::vector<float> x = random_floats(static_cast<size_t>(token_counts[s] * in), 3);
    const std::vector<float> bias = random_floats(static_cast<size_t>(out), 4);
    const std::vector<float> got = run(stream_, matrix, x, bias);

    const std::vector<float> seen = input_values(stream_, make_input(stream_, matrix, x).rows);
    expect_within(got, ref::gemm(matrix.values, seen, in, bias.data()), out, [&](int64_t t, int64_t o) {
      return rounding_bound(matrix, seen, t, o) + 4 * 6e-8 * std::abs(bias[static_cast<size_t>(o)]);
    });
    expect_within(got, ref::gemm(matrix.values, x, in, bias.data()), out, [&](int64_t t, int64_t o) {
      return rounding_bound(matrix, seen, t, o) + quantization_bound(matrix, x, t, o) +
             4 * 6e-8 * std::abs(bias[static_cast<size_t>(o)]);
    });
  }
}

/// Rows and tokens around what tensor cores take at a time, and sums of some slots of a ring.
TEST_P(GemmTest, AgreesWithTheOracleAtWholeTiles) {
  struct Shape {
    int64_t out;
    int64_t in_blocks;
    int64_t tokens;
  };
  const Shape shapes[] = {{1, 2, 1}, {33, 3, 8}, {320, 10, 9}, {72, 2, 33}, {129, 10, 64}, {33, 3, 130}, {40, 40, 257}};
  for (const auto& [out, in_blocks, tokens] : shapes) {
    const int64_t whole = std::max<int64_t>(block(), 32);
    const int64_t in = (in_blocks * 32 + whole - 1) / whole * whole;
    SCOPED_TRACE(testing::Message() << "out " << out << ", in " << in << ", tokens " << tokens);
    const Matrix matrix = make_matrix(stream_, {{dtype(), out}}, in);
    const std::vector<float> x = random_floats(static_cast<size_t>(tokens * in), 3);
    const std::vector<float> seen = input_values(stream_, make_input(stream_, matrix, x).rows);
    expect_within(run(stream_, matrix, x), ref::gemm(matrix.values, seen, in), out,
                  [&](int64_t t, int64_t o) { return rounding_bound(matrix, seen, t, o); });
  }
}

TEST_P(GemmTest, GivesTheSameBitsWhateverTheBatchAndTheThreads) {
  constexpr int64_t kTokens = 150;
  const int64_t out = 70;
  const int64_t in = block() == 1 ? 296 : block() == 32 ? 32 * 27 : 256 * 4;  // each: some chunks and a part
  const Matrix matrix = make_matrix(stream_, {{dtype(), out}}, in);
  const std::vector<float> x = random_floats(static_cast<size_t>(kTokens * in), 5);
  std::vector<float> alone;
  for (int64_t t = 0; t < kTokens; ++t) {
    const std::vector<float> row(x.begin() + t * in, x.begin() + (t + 1) * in);
    const std::vector<float> result = run(stream_, matrix, row);
    alone.insert(alone.end(), result.begin(), result.end());
  }
  for (int threads = 1; threads <= 3; ++threads) {
    Machine machine(isa(), threads);
    const Matrix own = make_matrix(*machine.stream, {{dtype(), out}}, in);  // a device's weights are its own
    for (int64_t tokens = 1; tokens <= kTokens; tokens += threads != 2 ? 7 : tokens < 70 ? 1 : 7) {
      // The last `tokens` of all, so that a token sits at another place of its tile each time.
      const std::vector<float> rows(x.end() - tokens * in, x.end());
      const std::vector<float> got = run(*machine.stream, own, rows);
      const float* want = alone.data() + (kTokens - tokens) * out;
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i], want[i]) << tokens << " tokens, " << threads << " threads, token "
                                   << i / static_cast<size_t>(out) << ", output " << i % static_cast<size_t>(out);
      }
    }
  }
}

TEST_P(GemmTest, AddsToWhatLiesInTheOutputAndTouchesNothingBesideIt) {
  struct Shape {
    int64_t out;
    int64_t stride;
    int64_t tokens;
  };
  const Shape shapes[] = {{37, 41, 2}, {37, 41, 40}, {40, 44, 40}, {72, 72, 130}};
  const int64_t in = block() == 1 ? 88 : 2 * block();
  for (const auto& [out, stride, tokens] : shapes) {
    const Matrix matrix = make_matrix(stream_, {{dtype(), out}}, in);
    const std::vector<float> x = random_floats(static_cast<size_t>(tokens * in), 6);
    const FormedRows input = make_input(stream_, matrix, x);
    const std::vector<float> before = random_floats(static_cast<size_t>(tokens * stride), 8);
    const DeviceArray there(stream_, before);
    Tensor to = f32_tensor(there.data(), tokens, out);
    to.stride = stride;
    gemm(stream_, {.weight = &matrix.packed, .input = input.rows, .accumulate = true, .out = to});
    const std::vector<float> got = there.values();
    const std::vector<float> seen = input_values(stream_, input.rows);
    const std::vector<double> product = ref::gemm(matrix.values, seen, in);
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t o = 0; o < stride; ++o) {
        const auto i = static_cast<size_t>(t * stride + o);
        if (o >= out) {
          ASSERT_EQ(got[i], before[i]) << "token " << t << ", beside output " << o;
          continue;
        }
        const double want = before[i] + product[static_cast<size_t>(t * out + o)];
        const double allowed =
            rounding_bound(matrix, seen, t, o) + static_cast<double>(in) * 6e-8 * std::abs(before[i]);
        ASSERT_NEAR(got[i], want, allowed) << "token " << t << ", output " << o;
      }
    }
  }
}

/// What kernels hand on is the same sum, rounded once.
TEST_P(GemmTest, RoundsToTheProductsType) {
  if (product_dtype(machine_.device) == DType::kF32) GTEST_SKIP() << "products are f32";
  ASSERT_EQ(product_dtype(machine_.device), DType::kBF16);
  const int64_t out = 70;
  const int64_t in = 2 * std::max<int64_t>(block(), 32);
  for (const int64_t tokens : {3, 150}) {
    const Matrix matrix = make_matrix(stream_, {{dtype(), out}}, in);
    const std::vector<float> x = random_floats(static_cast<size_t>(tokens * in), 6);
    const FormedRows expected(stream_, InputForm::kBf16, run(stream_, matrix, x), out);
    const FormedRows input = make_input(stream_, matrix, x);
    const FormedRows products(stream_, InputForm::kBf16, tokens, out);
    gemm(stream_, {.weight = &matrix.packed,
                   .input = input.rows,
                   .out = make_tensor(products.rows.data, DType::kBF16, tokens, out)});
    EXPECT_EQ(products.memory.values(), expected.memory.values());
  }
}

class GemmIsaTest : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(All, GemmIsaTest, testing::ValuesIn(tested_isas()),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

TEST_P(GemmIsaTest, StackedPartsOfDifferentTypes) {
  Machine machine(GetParam(), 3);
  Stream& stream = *machine.stream;
  const DType stacks[][3] = {{DType::kQ4_K, DType::kQ8_0, DType::kQ6_K},
                             {DType::kF8E4M3, DType::kBF16, DType::kF8E4M3B128},
                             {DType::kF16, DType::kF8E4M3, DType::kBF16}};
  for (const auto& types : stacks) {
    const Matrix matrix = make_matrix(stream, {{types[0], 40}, {types[1], 7}, {types[2], 65}}, 512);
    ASSERT_EQ(matrix.packed.out(), 112);
    ASSERT_EQ(matrix.packed.parts().size(), 3U);
    for (const int64_t tokens : {1, 50}) {
      const std::vector<float> x = random_floats(static_cast<size_t>(tokens * 512), 9);
      const std::vector<float> seen = input_values(stream, make_input(stream, matrix, x).rows);
      expect_within(run(stream, matrix, x), ref::gemm(matrix.values, seen, 512), 112,
                    [&](int64_t t, int64_t o) { return rounding_bound(matrix, seen, t, o); });
    }
  }
}

TEST_P(GemmIsaTest, GivesTheSameBitsEveryTimeAndForEveryNumberOfTokens) {
  constexpr int64_t kTokens = 512;
  constexpr int64_t kIn = 512;
  constexpr int64_t kOut = 72;
  Machine machine(GetParam(), 2);
  Stream& stream = *machine.stream;
  for (const DType dtype : {DType::kBF16, DType::kQ8_0, DType::kQ4_K}) {
    const Matrix matrix = make_matrix(stream, {{dtype, kOut}}, kIn);
    const std::vector<float> x = random_floats(static_cast<size_t>(kTokens * kIn), 13);
    const std::vector<float> all = run(stream, matrix, x);
    for (int repeat = 0; repeat < 20; ++repeat) ASSERT_EQ(all, run(stream, matrix, x)) << "at repeat " << repeat;
    for (int64_t tokens = 1; tokens < kTokens; tokens += tests_a_gpu() ? 1 : 73) {
      ASSERT_EQ(tokens_of(all, kOut, 0, tokens), run(stream, matrix, tokens_of(x, kIn, 0, tokens))) << tokens;
    }
  }
}

/// As far as the largest code's value is finite, down to less than an f32's normals.
TEST_P(GemmIsaTest, Mxfp4HasScalesOfEverySize) {
  constexpr int64_t kIn = 64;
  constexpr int64_t kOut = 253;
  Machine machine(GetParam(), 2);
  Stream& stream = *machine.stream;
  const std::vector<std::byte> bytes = rows_of_every_e8m0();
  const WeightRows rows = {bytes.data(), DType::kMXFP4, kOut};
  Matrix matrix;
  matrix.values = dequantized(rows, kIn);
  matrix.packed = pack_weight(stream, {&rows, 1}, kIn);
  std::vector<float> x(kIn * kIn);
  for (size_t i = 0; i < kIn; ++i) x[i * kIn + i] = 1;  // a token for each input
  const std::vector<float> got = run(stream, matrix, x);
  for (size_t input = 0; input < kIn; ++input) {
    for (size_t row = 0; row < kOut; ++row) {
      const double want = matrix.values[row * kIn + input];
      ASSERT_NEAR(got[input * kOut + row], want, 1e-6 * std::abs(want) + 0x1p-133)
          << "scale " << row << ", input " << input;
    }
  }
}

/// More tokens and rows than a GPU has processors for in smaller tiles, and tokens between two powers of two.
TEST_P(GemmIsaTest, GivesTheSameBitsInTheLargestTiles) {
  constexpr int64_t kIn = 72;
  constexpr int64_t kFew = 8;
  struct Shape {
    int64_t rows;
    int64_t tokens;
  };
  Machine machine(GetParam(), 2);
  Stream& stream = *machine.stream;
  for (const Shape& shape : {Shape{2052, 1000}, {2052, 1500}, {2052, 4500}, {6148, 190}}) {
    const auto [rows, tokens] = shape;
    const Matrix matrix = make_matrix(stream, {{DType::kBF16, rows}}, kIn);
    const std::vector<float> bias = random_floats(static_cast<size_t>(rows), 10);
    const auto added = [&](const std::vector<float>& x, const std::vector<float>& before) {
      const FormedRows input = make_input(stream, matrix, x);
      const DeviceArray out(stream, before);
      const DeviceArray bias_there(stream, bias);
      gemm(stream, {.weight = &matrix.packed,
                    .input = input.rows,
                    .bias = bias_there.data(),
                    .accumulate = true,
                    .out = f32_tensor(out.data(), input.rows.tokens, shape.rows)});
      return out.values();
    };
    const std::vector<float> x = random_floats(static_cast<size_t>(tokens * kIn), 11);
    const std::vector<float> before = random_floats(static_cast<size_t>(tokens * rows), 12);
    const std::vector<float> all = run(stream, matrix, x, bias);
    const std::vector<float> all_added = added(x, before);
    for (const int64_t begin : {int64_t{0}, tokens / 4, tokens / 2, tokens - kFew}) {
      SCOPED_TRACE(testing::Message() << rows << " rows, " << tokens << " tokens, from " << begin);
      const std::vector<float> few = tokens_of(x, kIn, begin, kFew);
      ASSERT_EQ(tokens_of(all, rows, begin, kFew), run(stream, matrix, few, bias));
      ASSERT_EQ(tokens_of(all_added, rows, begin, kFew), added(few, tokens_of(before, rows, begin, kFew)));
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
