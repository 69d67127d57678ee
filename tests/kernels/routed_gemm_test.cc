#include "kernels/routed_gemm.h"

#include "kernels/expert_table_rig.h"
#include "kernels/gemm.h"
#include "kernels/input_values.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

struct Shape {
  int64_t width = 64;    // of tokens' rows
  int64_t between = 32;  // of an expert
  RouterRule rule;
  bool shares = false;  // a router's row more, and rows for experts that every token has
};

PackedWeight some_experts(Device& device, int experts, int parts, int64_t rows, int64_t in) {
  std::vector<WeightRows> stacked(static_cast<size_t>(parts), {.dtype = DType::kBF16, .rows = rows});
  uint64_t key = 0;
  const auto stack_of = [&](int) {
    for (WeightRows& part : stacked) part.dummy = DummyRows{.key = ++key};
    return std::span<const WeightRows>(stacked);
  };
  return make_weight_packer(device)->pack(experts, stack_of, in, false);
}

/// A layer's experts, and what they make of rows in one op or in two.
class Layer {
 public:
  struct Outcome {
    std::vector<float> logits, weights, shared, between, out;
    std::vector<int32_t> chosen, row_begin, rows, row_token;
  };

  Layer(Stream& stream, const Shape& shape)
      : stream_(stream),
        shape_(shape),
        gate_up_(some_experts(stream.device(), shape.rule.experts, 2, shape.between, shape.width)),
        down_(some_experts(stream.device(), shape.rule.experts, 1, shape.width, shape.between)),
        router_(make_matrix(stream, router_parts(shape), shape.width, 31)),
        norm_(stream, random_normal(shape.width, 32)),
        choice_bias_(stream, random_normal(shape.rule.experts, 34, 0.1F)) {}

  /// Of several steps, one right behind the other in the same memory.
  std::vector<Outcome> run(int64_t tokens, const std::vector<std::vector<float>>& steps, bool as_one) {
    const int64_t rows = tokens * shape_.rule.per_token;
    const TableOnDevice table(stream_, tokens, shape_.rule);
    const DeviceArray workspace =
        unwritten(stream_, route_workspace(stream_.device(), tokens, shape_.width, router_.packed.out(), false));
    const DeviceArray logits(stream_, tokens * router_.packed.out(), NAN);
    const FormedRows input(stream_, gate_up_.input_form(), rows, shape_.width);
    const FormedRows shared(stream_, gate_up_.input_form(), tokens, shape_.width);
    const FormedRows between(stream_, down_.input_form(), rows, shape_.between);
    std::vector<std::unique_ptr<DeviceArray<float>>> xs;
    std::vector<std::unique_ptr<DeviceArray<std::byte>>> outs;
    for (const std::vector<float>& x : steps) {
      xs.push_back(std::make_unique<DeviceArray<float>>(stream_, x));
      outs.push_back(std::make_unique<DeviceArray<std::byte>>(stream_, rows * shape_.width * 4, std::byte{0xff}));
    }
    stream_.synchronize();
    const DType product = product_dtype(stream_.device());
    for (size_t i = 0; i < steps.size(); ++i) {
      const RouteArgs route_args = {.x = f32_tensor(xs[i]->data(), tokens, shape_.width),
                                    .norm_weight = norm_.data(),
                                    .router = &router_.packed,
                                    .choice_bias = shape_.shares ? choice_bias_.data() : nullptr,
                                    .rule = shape_.rule,
                                    .workspace = workspace.data(),
                                    .logits = f32_tensor(logits.data(), tokens, router_.packed.out()),
                                    .table = table.table(),
                                    .rows = input.rows,
                                    .shared = shape_.shares ? shared.rows : GemmInput{}};
      const GatedExpertGemmArgs gemm_args = {
          .weight = &gate_up_, .input = input.rows, .table = table.table(), .out = between.rows};
      if (as_one) {
        routed_gated_gemm(stream_, {.route = route_args, .gemm = gemm_args});
      } else {
        route(stream_, route_args);
        gated_expert_gemm(stream_, gemm_args);
      }
      expert_gemm(stream_, {.weight = &down_,
                            .input = between.rows,
                            .table = table.table(),
                            .table_is_settled = true,
                            .out = make_tensor(outs[i]->data(), product, rows, shape_.width)});
    }
    std::vector<Outcome> outcomes(steps.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto* const bytes = reinterpret_cast<const float*>(outs[i]->data());
      const int64_t words = product == DType::kF32 ? rows * shape_.width : rows * shape_.width / 2;
      outcomes[i].out = download(stream_, bytes, static_cast<size_t>(words));
    }
    outcomes.back().logits = logits.values();
    outcomes.back().weights = table.weights();
    outcomes.back().chosen = table.chosen();
    outcomes.back().row_begin = table.row_begin();
    outcomes.back().rows = table.rows();
    outcomes.back().row_token = table.row_token();
    outcomes.back().between = input_values(stream_, between.rows);
    if (shape_.shares) outcomes.back().shared = input_values(stream_, shared.rows);
    return outcomes;
  }

 private:
  static std::vector<std::pair<DType, int64_t>> router_parts(const Shape& shape) {
    std::vector<std::pair<DType, int64_t>> parts = {{DType::kF32, shape.rule.experts}};
    if (shape.shares) parts.emplace_back(DType::kF32, 1);
    return parts;
  }

  Stream& stream_;
  Shape shape_;
  PackedWeight gate_up_;
  PackedWeight down_;
  Matrix router_;
  DeviceArray<float> norm_;
  DeviceArray<float> choice_bias_;
};

/// To the bit: two BF16 numbers are one word of f32 in `out`.
void expect_same(const Layer::Outcome& got, const Layer::Outcome& want) {
  expect_same_bits(got.logits, want.logits);
  expect_same_bits(got.weights, want.weights);
  EXPECT_EQ(got.chosen, want.chosen);
  EXPECT_EQ(got.row_begin, want.row_begin);
  EXPECT_EQ(got.rows, want.rows);
  EXPECT_EQ(got.row_token, want.row_token);
  expect_same_bits(got.shared, want.shared);
  expect_same_bits(got.between, want.between);
  expect_same_bits(got.out, want.out);
}

TEST(RoutedGatedGemm, GivesWhatItsTwoOpsGive) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    const RouterRule qwen = {.experts = 128, .per_token = 8, .renormalized = true};
    const RouterRule sigmoid = {
        .score = RouterRule::Score::kSigmoid, .experts = 200, .per_token = 6, .renormalized = true, .scale = 2.5F};
    const RouterRule grouped = {.experts = 64, .per_token = 6, .groups = 8, .chosen_groups = 3};
    const Shape shapes[] = {{.width = 512, .between = 96, .rule = qwen},
                            {.width = 320, .between = 72, .rule = sigmoid, .shares = true},
                            {.width = 64,
                             .between = 36,
                             .rule = {.score = RouterRule::Score::kSoftmaxOfChosen, .experts = 8, .per_token = 2}},
                            {.width = 128, .between = 30, .rule = {.experts = 5, .per_token = 5}},
                            {.width = 64, .between = 32, .rule = grouped},
                            {.width = 64, .between = 32, .rule = {.experts = 300, .per_token = 32}}};
    for (const Shape& shape : shapes) {
      Layer layer(*machine.stream, shape);
      for (const int64_t tokens : {1, 2, 5, 8, 9}) {
        SCOPED_TRACE(testing::Message() << shape.rule.experts << " experts, " << tokens << " tokens");
        std::vector<std::vector<float>> steps;
        for (unsigned seed = 50; seed < 54; ++seed) steps.push_back(random_normal(tokens * shape.width, seed));
        const std::vector<Layer::Outcome> got = layer.run(tokens, steps, true);
        const std::vector<Layer::Outcome> want = layer.run(tokens, steps, false);
        for (size_t i = 0; i < steps.size(); ++i) {
          SCOPED_TRACE("step " + std::to_string(i));
          ASSERT_NO_FATAL_FAILURE(expect_same(got[i], want[i]));
        }
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
