#include <gtest/gtest.h>

#include "device/cuda_backend.h"
#include "kernels/gemm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

/// What older GPUs compute a GEMM by gives the bits of what this one computes it by.
class GemmForms : public testing::TestWithParam<DType> {
 protected:
  /// A GPU as kernels take it, and what it makes of the same weights and inputs.
  struct Form {
    explicit Form(int most_capability) : device(open_cuda(0, most_capability)), stream(device->make_stream()) {}

    std::vector<float> product(const std::vector<std::pair<DType, int64_t>>& parts, int64_t in,
                               const std::vector<float>& x) const {
      const Matrix matrix = make_matrix(*stream, parts, in);
      const FormedRows input(*stream, matrix.packed.input_form(), x, in);
      const int64_t out = matrix.packed.out();
      const DeviceArray sums(*stream, input.rows.tokens * out, NAN);
      gemm(*stream,
           {.weight = &matrix.packed, .input = input.rows, .out = f32_tensor(sums.data(), input.rows.tokens, out)});
      return sums.values();
    }
    /// The same as kernels hand it on, in BF16.
    std::vector<std::byte> handed_on(const std::vector<std::pair<DType, int64_t>>& parts, int64_t in,
                                     const std::vector<float>& x) const {
      const Matrix matrix = make_matrix(*stream, parts, in);
      const FormedRows input(*stream, matrix.packed.input_form(), x, in);
      const int64_t out = matrix.packed.out();
      const FormedRows products(*stream, InputForm::kBf16, input.rows.tokens, out);
      gemm(*stream, {.weight = &matrix.packed,
                     .input = input.rows,
                     .out = make_tensor(products.rows.data, DType::kBF16, input.rows.tokens, out)});
      return products.memory.values();
    }
    std::vector<std::byte> gated(DType dtype, int64_t rows, int64_t in, const std::vector<float>& x) const {
      const Matrix matrix = make_matrix(*stream, {{dtype, rows}, {dtype, rows}}, in);
      const FormedRows input(*stream, matrix.packed.input_form(), x, in);
      const FormedRows out(*stream, matrix.packed.input_form(), input.rows.tokens, rows);
      gated_gemm(*stream, {.weight = &matrix.packed, .input = input.rows, .out = out.rows});
      return out.memory.values();
    }

    std::unique_ptr<Device> device;
    std::unique_ptr<Stream> stream;
  };

  void SetUp() override {
    if (const std::string why = why_no_cuda(); !why.empty()) GTEST_SKIP() << why;
  }
};
INSTANTIATE_TEST_SUITE_P(All, GemmForms, testing::ValuesIn(kAllTypes),
                         [](const auto& param) { return std::string(dtype_info(param.param).name); });

TEST_P(GemmForms, GiveTheSameBits) {
  const Form newest(kNewestCapability);
  const Form older(80);
  const int64_t block = dtype_info(GetParam()).block_elements;
  const DType other = block == 256 ? DType::kQ4_K : is_quantized(GetParam()) ? DType::kQ8_0 : GetParam();
  for (const int64_t in : {block > 32 ? int64_t{512} : int64_t{96}, int64_t{2048}}) {
    for (const int64_t tokens : {1, 7, 33, 200}) {
      SCOPED_TRACE(testing::Message() << in << " inputs, " << tokens << " tokens");
      const std::vector<float> x = random_floats(static_cast<size_t>(tokens * in), 5);
      const std::vector<std::pair<DType, int64_t>> parts = {{GetParam(), 41}, {other, 100}, {GetParam(), 8}};
      EXPECT_EQ(newest.product(parts, in, x), older.product(parts, in, x));
      EXPECT_EQ(newest.gated(GetParam(), 77, in, x), older.gated(GetParam(), 77, in, x));
    }
  }
}

/// As many rows and tokens as have the largest tiles, of which those at the edges are not whole.
TEST_P(GemmForms, GiveTheSameBitsInTheLargestTiles) {
  const Form newest(kNewestCapability);
  const Form older(80);
  constexpr int64_t kIn = 256;
  for (const int64_t tokens : {128, 250, 1900}) {
    SCOPED_TRACE(testing::Message() << tokens << " tokens");
    const std::vector<float> x = random_floats(static_cast<size_t>(tokens * kIn), 5);
    const std::vector<std::pair<DType, int64_t>> parts = {{GetParam(), 3000}, {GetParam(), 1000}};
    EXPECT_EQ(newest.product(parts, kIn, x), older.product(parts, kIn, x));
    EXPECT_EQ(newest.handed_on(parts, kIn, x), older.handed_on(parts, kIn, x));
    EXPECT_EQ(newest.gated(GetParam(), 4104, kIn, x), older.gated(GetParam(), 4104, kIn, x));
    EXPECT_EQ(newest.gated(GetParam(), 4100, kIn, x), older.gated(GetParam(), 4100, kIn, x));
  }
}

}  // namespace
}  // namespace caravel::kernels
