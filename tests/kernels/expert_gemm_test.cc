#include "kernels/expert_gemm.h"

#include <numeric>

#include "kernels/expert_table_rig.h"
#include "kernels/gemm.h"
#include "kernels/input_values.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

/// Many experts' stacks, as files have them.
struct Stacks {
  size_t part_count;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::vector<float>> scales;
  std::vector<WeightRows> rows;

  Stacks(const std::vector<std::pair<DType, int64_t>>& parts, int64_t in, int experts) : part_count(parts.size()) {
    unsigned seed = 11;
    for (int e = 0; e < experts; ++e) {
      for (const auto& [dtype, count] : parts) {
        bytes.push_back(random_rows(dtype, count, in, seed));
        scales.push_back(random_scales(dtype, count, in, seed++));
        rows.push_back({bytes.back().data(), dtype, count, 0, scales.back().data()});
      }
    }
  }

  std::span<const WeightRows> of_expert(int e) const {
    return std::span(rows).subspan(static_cast<size_t>(e) * part_count, part_count);
  }
  PackedWeight packed(Stream& stream, int64_t in) const {
    const auto experts = static_cast<int>(rows.size() / part_count);
    return make_weight_packer(stream.device())->pack(experts, [&](int e) { return of_expert(e); }, in, false);
  }
};

/// Tokens' choices, by how many rows the experts get.
struct Load {
  const char* name;
  std::vector<int32_t> chosen;  // [tokens, per_token]
  int experts;
  int per_token;
};

std::vector<Load> loads() {
  std::vector<int32_t> one_expert(77, 2);
  std::vector<int32_t> every_expert;
  for (int t = 0; t < 3; ++t) every_expert.insert(every_expert.end(), {0, 1, 2, 3, 4});
  return {{"all rows are one expert's", one_expert, 5, 1},
          {"every expert has every row", every_expert, 5, 5},
          {"one token", {1, 4}, 5, 2},
          {"an expert with one row", {0, 0, 0, 4, 0, 0}, 5, 1},
          {"many experts", random_choice(60, 19, 4, 8), 19, 4},
          {"one expert is all", std::vector<int32_t>(9, 0), 1, 1}};
}

/// As much of a load's table as the ops read.
struct RowsOfExperts {
  RowsOfExperts(Stream& stream, const Load& load) : row_begin(static_cast<size_t>(load.experts) + 1) {
    for (const int32_t expert : load.chosen) ++row_begin[static_cast<size_t>(expert) + 1];
    std::partial_sum(row_begin.begin(), row_begin.end(), row_begin.begin());
    there = upload<int32_t>(stream, row_begin);
    table = {.tokens = static_cast<int64_t>(load.chosen.size()) / load.per_token,
             .experts = load.experts,
             .per_token = load.per_token};
    table.row_begin = there.address<int32_t>();
  }

  std::vector<int32_t> row_begin;
  Buffer there;
  ExpertTable table;
};

class ExpertGemmTest : public WeightTest {
 protected:
  Machine alone_{isa(), 1};  // where rows are by themselves
};
INSTANTIATE_TEST_SUITE_P(All, ExpertGemmTest, every_isa_and_type(), weight_test_name);

/// Expert of each row.
std::vector<int> experts_of_rows(const std::vector<int32_t>& row_begin) {
  std::vector<int> experts;
  for (size_t e = 0; e + 1 < row_begin.size(); ++e) {
    experts.insert(experts.end(), static_cast<size_t>(row_begin[e + 1] - row_begin[e]), static_cast<int>(e));
  }
  return experts;
}

TEST_P(ExpertGemmTest, ARowIsWhatGemmOfItAloneGives) {
  const int64_t in = std::max<int64_t>(block(), 32) * 3;
  const int64_t width = 69;  // the last panel is not full
  for (const Load& load : loads()) {
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(testing::Message() << load.name << ", " << threads << " threads");
      Machine machine(isa(), threads);
      Stream& stream = *machine.stream;
      // Stacked parts, as joined matrices have them.
      const Stacks stacks({{dtype(), 32}, {dtype(), width - 32}}, in, load.experts);
      const PackedWeight weight = stacks.packed(stream, in);
      ASSERT_EQ(weight.experts(), load.experts);
      ASSERT_EQ(weight.out(), width);
      const RowsOfExperts of_experts(stream, load);
      const int64_t rows = of_experts.table.row_count();
      const std::vector<float> x = random_floats(static_cast<size_t>(rows * in), 3);
      const std::vector<float> bias = random_floats(static_cast<size_t>(load.experts * width), 4);
      const FormedRows input(stream, weight.input_form(), x, in);
      const DeviceArray bias_there(stream, bias);
      const DeviceArray out(stream, rows * width, NAN);
      expert_gemm(stream, {.weight = &weight,
                           .input = input.rows,
                           .table = of_experts.table,
                           .bias = bias_there.data(),
                           .out = f32_tensor(out.data(), rows, width)});
      const std::vector<float> got = out.values();
      const std::vector<int> experts = experts_of_rows(of_experts.row_begin);
      for (int64_t r = 0; r < rows; ++r) {
        SCOPED_TRACE("row " + std::to_string(r));
        const int e = experts[static_cast<size_t>(r)];
        const PackedWeight own = pack_weight(*alone_.stream, stacks.of_expert(e), in);
        const FormedRows row(*alone_.stream, own.input_form(), {x.begin() + r * in, x.begin() + (r + 1) * in}, in);
        const DeviceArray own_bias(*alone_.stream, std::span(bias).subspan(static_cast<size_t>(e * width), width));
        const DeviceArray want(*alone_.stream, width, NAN);
        gemm(*alone_.stream,
             {.weight = &own, .input = row.rows, .bias = own_bias.data(), .out = f32_tensor(want.data(), 1, width)});
        ASSERT_NO_FATAL_FAILURE(
            expect_same_bits(std::span(got).subspan(static_cast<size_t>(r * width), width), want.values()));
      }
    }
  }
}

TEST_P(ExpertGemmTest, AGatedRowIsWhatGatedGemmOfItAloneGives) {
  const int64_t in = std::max<int64_t>(block(), 32) * 2;
  const InputForm quantized = input_form(machine_.device, DType::kQ8_0, false);
  for (const Load& load : loads()) {
    for (const InputForm form : {InputForm::kF32, quantized}) {
      const int64_t width = form == InputForm::kF32 ? 69 : 96;
      SCOPED_TRACE(testing::Message() << load.name << ", form " << static_cast<int>(form));
      Machine machine(isa(), 3);
      Stream& stream = *machine.stream;
      const Stacks stacks({{dtype(), width}, {dtype(), width}}, in, load.experts);
      const PackedWeight weight = stacks.packed(stream, in);
      const RowsOfExperts of_experts(stream, load);
      const int64_t rows = of_experts.table.row_count();
      const std::vector<float> x = random_floats(static_cast<size_t>(rows * in), 3);
      const std::vector<float> bias = random_floats(static_cast<size_t>(load.experts * 2 * width), 4);
      const DeviceArray bias_there(stream, bias);
      const FormedRows input(stream, weight.input_form(), x, in);
      const FormedRows out(stream, form, rows, width);
      gated_expert_gemm(stream, {.weight = &weight,
                                 .input = input.rows,
                                 .table = of_experts.table,
                                 .bias = bias_there.data(),
                                 .activation = Activation::kClampedSilu,
                                 .out = out.rows});
      const std::vector<float> got = input_values(stream, out.rows);
      const std::vector<int> experts = experts_of_rows(of_experts.row_begin);
      for (int64_t r = 0; r < rows; ++r) {
        SCOPED_TRACE("row " + std::to_string(r));
        const int e = experts[static_cast<size_t>(r)];
        const PackedWeight own = pack_weight(*alone_.stream, stacks.of_expert(e), in);
        const FormedRows row(*alone_.stream, own.input_form(), {x.begin() + r * in, x.begin() + (r + 1) * in}, in);
        const auto columns = static_cast<size_t>(width);
        const DeviceArray own_bias(*alone_.stream,
                                   std::span(bias).subspan(static_cast<size_t>(e) * 2 * columns, 2 * columns));
        const FormedRows want(*alone_.stream, form, 1, width);
        gated_gemm(*alone_.stream, {.weight = &own,
                                    .input = row.rows,
                                    .bias = own_bias.data(),
                                    .activation = Activation::kClampedSilu,
                                    .out = want.rows});
        ASSERT_NO_FATAL_FAILURE(expect_same_bits(std::span(got).subspan(static_cast<size_t>(r) * columns, columns),
                                                 input_values(*alone_.stream, want.rows)));
      }
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
