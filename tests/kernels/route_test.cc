#include "kernels/route.h"

#include <algorithm>

#include "kernels/expert_table_rig.h"
#include "kernels/input_values.h"
#include "kernels/product_rows.h"
#include "kernels/ref/expert_table.h"
#include "kernels/ref/gemm.h"
#include "kernels/ref/rms_norm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

constexpr float kEpsilon = 1e-5F;

/// What a routed layer begins with, and what route() makes of it.
struct Routed {
  struct Options {
    int64_t tokens = 1;
    int64_t width = 64;
    RouterRule rule;
    bool gated = false;  // a row more, as of experts that every token has
    bool biased = false;
    InputForm rows = InputForm::kF32;
    InputForm shared = InputForm::kF32;
  };

  std::vector<float> logits, weights, rows, shared;
  std::vector<int32_t> chosen, row_begin, places, row_token;

  Routed(Stream& stream, const Options& options, const std::vector<float>& x)
      : Routed(stream, options, x, router_of(stream, options)) {}

  static Matrix router_of(Stream& stream, const Options& options) {
    std::vector<std::pair<DType, int64_t>> parts = {{DType::kF32, options.rule.experts}};
    if (options.gated) parts.emplace_back(DType::kF32, 1);
    return make_matrix(stream, parts, options.width, 31);
  }
  static std::vector<float> norm_of(const Options& options) { return random_normal(options.width, 32); }
  static std::vector<float> router_bias_of(const Options& options) {
    return options.biased ? random_normal(options.rule.experts + (options.gated ? 1 : 0), 33) : std::vector<float>();
  }
  static std::vector<float> choice_bias_of(const Options& options) {
    return options.biased ? random_normal(options.rule.experts, 34, 0.3F) : std::vector<float>();
  }

 private:
  Routed(Stream& stream, const Options& options, const std::vector<float>& x, const Matrix& router) {
    const int64_t tokens = options.tokens;
    const int64_t width = options.width;
    const DeviceArray x_there(stream, x);
    const DeviceArray norm(stream, norm_of(options));
    const DeviceArray router_bias(stream, router_bias_of(options));
    const DeviceArray choice_bias(stream, choice_bias_of(options));
    const DeviceArray logits_there(stream, tokens * router.packed.out(), NAN);
    const DeviceArray workspace = unwritten(stream, route_workspace(stream.device(), tokens, width, router.packed.out(),
                                                                    options.shared == InputForm::kF32));
    const TableOnDevice table(stream, tokens, options.rule);
    const FormedRows rows_there(stream, options.rows, tokens * options.rule.per_token, width);
    const FormedRows shared_there(stream, options.shared, tokens, width);
    route(stream, {.x = f32_tensor(x_there.data(), tokens, width),
                   .norm_weight = norm.data(),
                   .norm_epsilon = kEpsilon,
                   .router = &router.packed,
                   .router_bias = router_bias.data(),
                   .choice_bias = choice_bias.data(),
                   .rule = options.rule,
                   .workspace = workspace.data(),
                   .logits = f32_tensor(logits_there.data(), tokens, router.packed.out()),
                   .table = table.table(),
                   .rows = rows_there.rows,
                   .shared = shared_there.rows});
    logits = logits_there.values();
    weights = table.weights();
    chosen = table.chosen();
    row_begin = table.row_begin();
    places = table.rows();
    row_token = table.row_token();
    rows = input_values(stream, rows_there.rows);
    shared = input_values(stream, shared_there.rows);
  }
};

void check_against_oracles(Machine& machine, const Routed::Options& options) {
  Stream& stream = *machine.stream;
  const RouterRule& rule = options.rule;
  const int64_t width = options.width;
  const std::vector<float> x = random_normal(options.tokens * width, 30, 3.0F);
  const Routed got(stream, options, x);

  std::vector<double> exact(x.size());
  ref::rms_norm(x.data(), Routed::norm_of(options).data(), kEpsilon, options.tokens, width, exact.data());
  const std::vector<float> normed(exact.begin(), exact.end());
  const Matrix router = Routed::router_of(stream, options);
  const std::vector<float> bias = Routed::router_bias_of(options);
  expect_close(got.logits, ref::gemm(router.values, normed, width, bias.empty() ? nullptr : bias.data()),
               kRounding * 64 * std::sqrt(static_cast<double>(width)), kRounding * 64);

  // The choice by the logits that there are.
  const std::vector<float> choice_bias = Routed::choice_bias_of(options);
  for (int64_t t = 0; t < options.tokens; ++t) {
    const ref::ExpertChoice want = ref::choose_experts(rule, got.logits.data() + t * router.packed.out(),
                                                       options.biased ? choice_bias.data() : nullptr);
    if (want.margin < 1e-5) continue;
    SCOPED_TRACE("token " + std::to_string(t));
    const auto first = t * rule.per_token;
    ASSERT_EQ(std::vector(got.chosen.begin() + first, got.chosen.begin() + first + rule.per_token), want.chosen);
    expect_close(std::span(got.weights).subspan(static_cast<size_t>(first), want.weights.size()), want.weights, 1e-30,
                 64 * kRounding);
  }
  const ref::ExpertRows want = ref::sort_by_expert(got.chosen, rule.experts, rule.per_token);
  EXPECT_EQ(got.row_begin, want.row_begin);
  EXPECT_EQ(got.places, want.rows);
  EXPECT_EQ(got.row_token, want.row_token);

  // One rounding for BF16; eight bits are the largest's 254th part, turned by Hadamard's matrix or not.
  const auto rounding = [](InputForm form) { return form == InputForm::kF32 ? 32 * kRounding : 0x1p-8; };
  const bool eight_bits = options.rows == InputForm::kQ8;
  const double largest = *std::ranges::max_element(exact);
  expect_close(got.shared, exact, 0, rounding(options.shared));
  std::vector<double> spread;
  for (const int32_t t : want.row_token) spread.insert(spread.end(), &exact[t * width], &exact[t * width] + width);
  expect_close(got.rows, spread, eight_bits ? largest / 100 : 0, rounding(options.rows));
}

/// What experts' GEMMs of quantised weights and of others read.
InputForm narrow_form(Device& device) { return input_form(device, DType::kQ8_0, false); }

TEST(Route, AgreesWithTheOracles) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const RouterRule qwen = {.experts = 128, .per_token = 8, .renormalized = true};
    const RouterRule mixtral = {.score = RouterRule::Score::kSoftmaxOfChosen, .experts = 8, .per_token = 2};
    const RouterRule deepseek = {.score = RouterRule::Score::kSigmoid,
                                 .experts = 256,
                                 .per_token = 8,
                                 .groups = 8,
                                 .chosen_groups = 4,
                                 .group_score = RouterRule::GroupScore::kSumOfTwoLargest,
                                 .renormalized = true,
                                 .scale = 2.5F};
    const RouterRule many = {.experts = 600, .per_token = 32};
    for (const int64_t tokens : {1, 3, 4, 16, 17, 70, 300}) {
      SCOPED_TRACE("tokens " + std::to_string(tokens));
      const InputForm form = narrow_form(machine.device);
      check_against_oracles(machine, {.tokens = tokens, .width = 2048, .rule = qwen, .rows = form});
      check_against_oracles(machine, {.tokens = tokens, .width = 96, .rule = mixtral, .gated = true, .rows = form});
      check_against_oracles(machine, {.tokens = tokens, .width = 1056, .rule = deepseek, .biased = true, .rows = form});
      check_against_oracles(machine, {.tokens = tokens, .width = 37, .rule = many});
    }
  });
}

TEST(Route, SharedRowsComeInTheirOwnForm) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const InputForm form = narrow_form(machine.device);
    if (form != InputForm::kBf16) GTEST_SKIP() << "eight bits are checked by quantize_input()";
    check_against_oracles(
        machine,
        {.tokens = 5, .width = 64, .rule = {.experts = 6, .per_token = 2}, .rows = InputForm::kF32, .shared = form});
  });
}

// Whichever kernels a device takes for so many tokens.
TEST(Route, ATokensChoiceAndRowsAreItsOwn) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    Stream& stream = *machine.stream;
    Routed::Options options = {.tokens = 290,
                               .width = 1060,
                               .rule = {.experts = 60, .per_token = 4, .renormalized = true},
                               .rows = tests_a_gpu() ? InputForm::kBf16 : InputForm::kF32};
    const std::vector<float> x = random_normal(options.tokens * options.width, 40);
    const Routed all(stream, options, x);
    const auto part = [](const auto& values, int64_t first, int64_t count) {
      return std::vector(values.begin() + first, values.begin() + first + count);
    };
    for (const int64_t count : {1, 3, 7, 20, 100}) {
      SCOPED_TRACE("tokens " + std::to_string(count));
      for (const int64_t first : {int64_t{0}, int64_t{150}}) {
        options.tokens = count;
        const Routed few(stream, options, part(x, first * options.width, count * options.width));
        expect_same_bits(few.logits, part(all.logits, first * 60, count * 60));
        expect_same_bits(few.weights, part(all.weights, first * 4, count * 4));
        EXPECT_EQ(few.chosen, part(all.chosen, first * 4, count * 4));
        expect_same_bits(few.shared, part(all.shared, first * options.width, count * options.width));
        for (int64_t i = 0; i < count * 4; ++i) {
          const int64_t here = few.places[static_cast<size_t>(i)];
          const int64_t there = all.places[static_cast<size_t>(first * 4 + i)];
          expect_same_bits(part(few.rows, here * options.width, options.width),
                           part(all.rows, there * options.width, options.width));
        }
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
