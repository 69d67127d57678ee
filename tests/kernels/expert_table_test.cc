#include "kernels/expert_table.h"

#include <cmath>
#include <limits>
#include <random>

#include "kernels/expert_table_rig.h"
#include "kernels/ref/expert_table.h"

namespace caravel::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Chosen {
  std::vector<int32_t> experts;
  std::vector<float> weights;
};

/// choose_experts of logits [tokens, stride].
Chosen choose(Stream& stream, const RouterRule& rule, const std::vector<float>& logits, int64_t stride,
              const std::vector<float>& bias = {}) {
  const int64_t tokens = static_cast<int64_t>(logits.size()) / stride;
  const DeviceArray logits_there(stream, logits);
  const DeviceArray bias_there(stream, bias);
  const TableOnDevice table(stream, tokens, rule);
  choose_experts(stream, {.logits = f32_tensor(logits_there.data(), tokens, stride),
                          .choice_bias = bias_there.data(),
                          .rule = rule,
                          .table = table.table()});
  return {table.chosen(), table.weights()};
}

TEST(ChooseExperts, AgreesWithTheOracleUnderEveryRule) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    std::mt19937 random(1 + test_seed());
    const auto below = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
    int compared = 0;
    for (int round = 0; round < 300; ++round) {
      RouterRule rule;
      rule.score = static_cast<RouterRule::Score>(round % 3);
      rule.groups = 1 << below(4);
      rule.experts = rule.groups * (1 + below(64));
      rule.chosen_groups = 1 + below(rule.groups);
      rule.per_token = 1 + below(std::min(16, rule.experts / rule.groups * rule.chosen_groups));
      rule.group_score = static_cast<RouterRule::GroupScore>(below(2));
      rule.renormalized = below(2) == 0;
      rule.scale = below(2) == 0 ? 1.0F : 2.5F;
      const int64_t stride = rule.experts + below(3);
      const std::vector<float> logits = random_normal(5 * stride, static_cast<uint32_t>(round), 2.0F);
      const bool biased = below(2) == 0;
      const std::vector<float> bias =
          biased ? random_normal(rule.experts, static_cast<uint32_t>(1000 + round), 0.3F) : std::vector<float>();
      const Chosen got = choose(*machine.stream, rule, logits, stride, bias);
      for (int64_t t = 0; t < 5; ++t) {
        const ref::ExpertChoice want =
            ref::choose_experts(rule, logits.data() + t * stride, biased ? bias.data() : nullptr);
        if (want.margin < 1e-5) continue;  // which one is chosen is a matter of rounding
        ++compared;
        SCOPED_TRACE("round " + std::to_string(round) + ", token " + std::to_string(t));
        const auto begin = t * rule.per_token;
        ASSERT_EQ(std::vector(got.experts.begin() + begin, got.experts.begin() + begin + rule.per_token), want.chosen);
        expect_close(std::span(got.weights).subspan(static_cast<size_t>(begin), want.weights.size()), want.weights,
                     1e-30, 64 * kRounding);
      }
    }
    EXPECT_GT(compared, 1000);
  });
}

TEST(ChooseExperts, OfEqualScoresTheLowerIsChosenAndNaNLast) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    Stream& stream = *machine.stream;
    const auto experts_of = [&](RouterRule rule, const std::vector<float>& logits,
                                const std::vector<float>& bias = {}) {
      rule.experts = static_cast<int>(logits.size());
      return choose(stream, rule, logits, rule.experts, bias).experts;
    };
    using Experts = std::vector<int32_t>;
    for (const auto score :
         {RouterRule::Score::kSoftmax, RouterRule::Score::kSoftmaxOfChosen, RouterRule::Score::kSigmoid}) {
      SCOPED_TRACE(static_cast<int>(score));
      const RouterRule rule{.score = score, .per_token = 3};
      EXPECT_EQ(experts_of(rule, {1, 2, 1, 2, 1, 0}), (Experts{0, 1, 3}));
      EXPECT_EQ(experts_of(rule, {-0.0F, 0.0F, -0.0F, 0.0F, 0.0F}), (Experts{0, 1, 2}));
      EXPECT_EQ(experts_of(rule, {NAN, -kInfinity, 1, NAN, 0, NAN}), (Experts{1, 2, 4}));
      EXPECT_EQ(experts_of(rule, {NAN, -5, NAN, NAN, kInfinity}), (Experts{0, 1, 4}));
      EXPECT_EQ(experts_of(rule, {NAN, NAN, NAN, NAN, NAN}), (Experts{0, 1, 2}));
      EXPECT_EQ(experts_of(rule, std::vector<float>(33, -kInfinity)), (Experts{0, 1, 2}));
      EXPECT_EQ(experts_of(rule, std::vector<float>(512, kInfinity)), (Experts{0, 1, 2}));
      // Scores that round to 0 or to 1 are still told apart.
      EXPECT_EQ(experts_of(rule, {-400, -300, 200, -500, -350}), (Experts{1, 2, 4}));
      EXPECT_EQ(experts_of(rule, {40, 60, 50, 30, 55}), (Experts{1, 2, 4}));
      // Groups of two: the third and the first are equally good, the second has nothing but NaN.
      const RouterRule grouped{.score = score, .per_token = 3, .groups = 3, .chosen_groups = 2};
      EXPECT_EQ(experts_of(grouped, {1, NAN, NAN, NAN, 1, 0.5F}), (Experts{0, 4, 5}));
      EXPECT_EQ(experts_of(grouped, {1, 0, 1, 0.5F, 1, 0.5F}), (Experts{0, 2, 3}));
    }
    // A bias decides who is chosen and leaves the weights.
    const RouterRule rule{.score = RouterRule::Score::kSigmoid, .experts = 4, .per_token = 1};
    const Chosen biased = choose(stream, rule, {0, 3, 1, 2}, 4, {1, 0, 0, 0});
    EXPECT_EQ(biased.experts, (Experts{0}));
    EXPECT_EQ(biased.weights, (std::vector<float>{0.5F}));
  });
}

// Of weights that are all 0, and of few that are tiny.
TEST(ChooseExperts, NoSumIsDividedByThatIsZero) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const RouterRule rule{
        .score = RouterRule::Score::kSigmoid, .experts = 3, .per_token = 2, .renormalized = true, .scale = 2.0F};
    EXPECT_EQ(choose(*machine.stream, rule, {-500, -500, -600}, 3).weights, (std::vector<float>{0, 0}));
    const std::vector<float> few = choose(*machine.stream, rule, {-20, -20, -600}, 3).weights;
    EXPECT_NEAR(few[0], 1.0F, 1e-6F);
  });
}

TEST(ChooseExperts, ATokensChoiceIsItsOwn) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const RouterRule rule{.experts = 60, .per_token = 4, .renormalized = true};
    const std::vector<float> logits = random_normal(17 * 60, 3);
    const Chosen all = choose(*machine.stream, rule, logits, 60);
    for (int64_t t = 0; t < 17; ++t) {
      const Chosen alone = choose(*machine.stream, rule, {&logits[t * 60], &logits[t * 60] + 60}, 60);
      EXPECT_EQ(alone.experts, std::vector(&all.experts[t * 4], &all.experts[t * 4] + 4));
      expect_same_bits(alone.weights, std::span(all.weights).subspan(static_cast<size_t>(t) * 4, 4));
    }
  });
}

TEST(SortByExpert, IsTheInverseOfTheChoice) {
  for_each_isa([](Isa isa) {
    for (const int threads : {1, 2, 7}) {
      Machine machine(isa, threads);
      for (const auto& [tokens, experts, per_token] :
           {std::tuple{1, 1, 1}, {1, 512, 16}, {5, 16, 16}, {3, 8, 2}, {200, 128, 8}, {64, 1024, 32}, {513, 3, 1}}) {
        SCOPED_TRACE(testing::Message() << tokens << " tokens, " << experts << " experts, " << threads << " threads");
        const std::vector<int32_t> chosen = random_choice(tokens, experts, per_token, 4);
        const TableOnDevice table(*machine.stream, chosen, std::vector<float>(chosen.size()), experts, per_token);
        const ref::ExpertRows want = ref::sort_by_expert(chosen, experts, per_token);
        EXPECT_EQ(table.row_begin(), want.row_begin);
        EXPECT_EQ(table.rows(), want.rows);
        EXPECT_EQ(table.row_token(), want.row_token);
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
