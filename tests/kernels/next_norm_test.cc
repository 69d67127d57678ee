#include <cmath>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/normed_rig.h"
#include "kernels/op_testing.h"
#include "kernels/product_rows.h"
#include "kernels/ref/gemm.h"
#include "kernels/ref/rms_norm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

/// GEMMs that join a residual stream one after the other, taking turns in the same memory, and norms on their own
/// beside them.
void check_chain(Stream& stream, DType writer_type, DType reader_type, int64_t width, int64_t tokens) {
  SCOPED_TRACE(testing::Message() << dtype_info(writer_type).name << " to " << dtype_info(reader_type).name
                                  << ", width " << width << ", tokens " << tokens);
  constexpr int64_t kIn = 256;
  const std::vector<float> x = random_normal(tokens * width, 22, 30.0F);  // some squares above others' units
  const Normed fused(stream, reader_type, x, width);
  const Normed apart(stream, reader_type, x, width);
  const Matrix writer = make_matrix(stream, {{writer_type, width}}, kIn, 9);
  const FormedRows branch(stream, writer.packed.input_form(), random_normal(tokens * kIn, 23), kIn);
  const DeviceArray bias(stream, random_normal(width, 24));
  fused.norm(0);
  for (int step = 1; step < 6; ++step) {
    const int turn = step % 2;
    GemmArgs args{.weight = &writer.packed,
                  .input = branch.rows,
                  .bias = bias.data(),
                  .accumulate = true,
                  .out = fused.rows(),
                  .next = fused.next(turn)};
    gemm(stream, args);
    args.out = apart.rows();
    args.next = {};
    gemm(stream, args);
    apart.norm(0);
    ASSERT_EQ(fused.residual.values(), apart.residual.values()) << "step " << step;
    ASSERT_EQ(fused.read(turn), apart.read(0)) << "step " << step;
  }
}

TEST(NextNorm, OfAGemmGivesTheBitsOfRmsNormTurnAfterTurn) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const DType writer : {DType::kBF16, DType::kQ8_0, DType::kF32}) {
      for (const DType reader : {DType::kBF16, DType::kQ4_0, DType::kF32}) {
        check_chain(*machine.stream, writer, reader, 96, 5);
      }
    }
    check_chain(*machine.stream, DType::kBF16, DType::kBF16, 520, 1);
    check_chain(*machine.stream, DType::kQ4_0, DType::kQ4_0, 2080, 1);
    check_chain(*machine.stream, DType::kF8E4M3, DType::kBF16, 2080, 8);
    check_chain(*machine.stream, DType::kBF16, DType::kBF16, 520, 300);
    check_chain(*machine.stream, DType::kBF16, DType::kBF16, 2080, 40);
    check_chain(*machine.stream, DType::kBF16, DType::kBF16, 100, 3);                         // no whole eights
    if (tests_a_gpu()) check_chain(*machine.stream, DType::kBF16, DType::kBF16, 4096, 1100);  // its largest tiles
  });
}

TEST(NextNorm, OfABranchGivesTheBitsOfRmsNorm) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    for (const int64_t width : {96, 100, 4128}) {
      for (const DType reader : {DType::kBF16, DType::kF32}) {
        const int64_t tokens = 5;
        const std::vector<float> x = random_normal(tokens * width, 25);
        const Normed fused(stream, reader, x, width);
        const Normed apart(stream, reader, x, width);
        const ProductRows y(stream, random_normal(tokens * width, 26), width);
        const DeviceArray post(stream, random_normal(width, 27));
        for (const float* post_weight : {static_cast<const float*>(post.data()), static_cast<const float*>(nullptr)}) {
          AddNormArgs args{
              .y = y.tensor(), .post_weight = post_weight, .residual = fused.rows(), .next = fused.next(1)};
          add_norm(stream, args);
          args.residual = apart.rows();
          args.next = {};
          add_norm(stream, args);
          apart.norm(0);
          ASSERT_EQ(fused.residual.values(), apart.residual.values());
          ASSERT_EQ(fused.read(1), apart.read(0)) << "width " << width;
        }
      }
    }
  });
}

/// A token's bits beside 299 others and alone.
TEST(NextNorm, ATokenDoesNotDependOnOthers) {
  constexpr int64_t kTokens = 300;
  constexpr int64_t kWidth = 2080;
  for_each_isa([&](Isa isa) {
    Machine machine(isa, 2);
    Stream& stream = *machine.stream;
    const Matrix writer = make_matrix(stream, {{DType::kBF16, kWidth}}, 64, 9);
    const std::vector<float> x = random_normal(kTokens * kWidth, 28, 30.0F);
    const std::vector<float> branch = random_normal(kTokens * 64, 29);
    const auto read = [&](int64_t first, int64_t count) {
      const auto part = [&](const std::vector<float>& rows, int64_t width) {
        return std::vector<float>(rows.begin() + first * width, rows.begin() + (first + count) * width);
      };
      const Normed normed(stream, DType::kBF16, part(x, kWidth), kWidth);
      const FormedRows input(stream, writer.packed.input_form(), part(branch, 64), 64);
      normed.norm(0);
      gemm(stream, {.weight = &writer.packed,
                    .input = input.rows,
                    .accumulate = true,
                    .out = normed.rows(),
                    .next = normed.next(1)});
      return normed.read(1);
    };
    const std::vector<float> all = read(0, kTokens);
    for (const int64_t first : {int64_t{0}, int64_t{131}, kTokens - 9}) {
      const std::vector<float> few = read(first, 9);
      expect_same_bits(std::span(all).subspan(static_cast<size_t>(first * 40), few.size()), few);
    }
  });
}

/// Rows of any size, also where squares are far larger and smaller than others.
TEST(NormedInput, AGemmOfItAgreesWithTheOracle) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    for (const float scale : {1e-4F, 1.0F, 300.0F}) {
      for (const DType reader : {DType::kF32, DType::kBF16}) {
        for (const int64_t width : {31, 40, 1056}) {
          SCOPED_TRACE(testing::Message() << "scale " << scale << ", " << dtype_info(reader).name << ", " << width);
          std::vector<float> x = random_normal(3 * width, 30, scale);
          x[static_cast<size_t>(width) + 7] *= 1e3F;
          const Normed normed(*machine.stream, reader, x, width);
          normed.norm(0);
          std::vector<double> expected(x.size());
          ref::rms_norm(x.data(), normed.weight.values().data(), kNormEpsilon, 3, width, expected.data());
          const std::vector<float> rows(expected.begin(), expected.end());
          const std::vector<double> want = ref::gemm(normed.reader.values, rows, width);
          std::vector<float> sizes = rows;
          for (float& value : sizes) value = std::abs(value);
          std::vector<float> weights = normed.reader.values;
          for (float& value : weights) value = std::abs(value);
          const std::vector<double> terms = ref::gemm(weights, sizes, width);
          const bool rounds = normed.reader.packed.input_form() == InputForm::kBf16;
          const double relative = static_cast<double>(width + 32) * kRounding + (rounds ? 0x1p-8 : 0);
          const std::vector<float> got = normed.read(0);
          for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], relative * terms[i]) << "at " << i;
        }
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
