#include "kernels/head_gemm.h"

#include <span>

#include "kernels/gemm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

class HeadGemmTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, HeadGemmTest, every_isa_and_type(), weight_test_name);

TEST_P(HeadGemmTest, AHeadIsWhatGemmOfItAloneGives) {
  constexpr int kHeads = 5;
  const int64_t in = std::max<int64_t>(block(), 32) * 3;
  const int64_t out = 69;  // the last panel is not full
  const int64_t head_stride = out + 3;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::vector<float>> scales;
  std::vector<WeightRows> stacks;
  for (unsigned h = 0; h < kHeads; ++h) {
    bytes.push_back(random_rows(dtype(), out, in, h));
    scales.push_back(random_scales(dtype(), out, in, h));
    stacks.push_back({bytes.back().data(), dtype(), out, 0, scales.back().data()});
  }
  for (const int64_t tokens : {1, 7, 40}) {
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << threads << " threads");
      Machine machine(isa(), threads);
      Stream& stream = *machine.stream;
      const PackedWeight weight =
          make_weight_packer(machine.device)
              ->pack(kHeads, [&](int h) { return std::span(stacks).subspan(static_cast<size_t>(h), 1); }, in, false);
      const std::vector<float> x = random_floats(static_cast<size_t>(tokens * kHeads * in), 3);
      const FormedRows input(stream, weight.input_form(), x, kHeads * in);
      const DeviceArray there(stream, tokens * kHeads * head_stride, -7.0F);
      head_gemm(stream, {.weight = &weight,
                         .input = input.rows,
                         .out = f32_tensor(there.data(), tokens, kHeads * head_stride),
                         .head_stride = head_stride});
      const std::vector<float> got = there.values();
      for (int h = 0; h < kHeads; ++h) {
        SCOPED_TRACE("head " + std::to_string(h));
        std::vector<float> own;
        for (int64_t t = 0; t < tokens; ++t) {
          const auto from = x.begin() + (t * kHeads + h) * in;
          own.insert(own.end(), from, from + in);
        }
        const PackedWeight matrix = pack_weight(stream, std::span(stacks).subspan(static_cast<size_t>(h), 1), in);
        const FormedRows rows(stream, matrix.input_form(), own, in);
        const DeviceArray want(stream, tokens * out, NAN);
        gemm(stream, {.weight = &matrix, .input = rows.rows, .out = f32_tensor(want.data(), tokens, out)});
        const std::vector<float> wanted = want.values();
        for (int64_t t = 0; t < tokens; ++t) {
          const auto row = static_cast<size_t>((t * kHeads + h) * head_stride);
          ASSERT_NO_FATAL_FAILURE(
              expect_same_bits(std::span(got).subspan(row, static_cast<size_t>(out)),
                               std::span(wanted).subspan(static_cast<size_t>(t * out), static_cast<size_t>(out))));
          EXPECT_EQ(got[row + static_cast<size_t>(out)], -7.0F) << "what lies between heads";
        }
      }
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
