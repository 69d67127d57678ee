#include "kernels/ref/expert_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace caravel::kernels::ref {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Whether value a is chosen before b, of which the first comes first.
bool better(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a > b; }

/// Places of the `count` best, the best first; margin: as ExpertChoice::margin, where it is less.
std::vector<int> best_of(const std::vector<double>& values, int count, double& margin) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int a, int b) { return better(values[a], values[b]); });
  if (static_cast<size_t>(count) < order.size()) {
    margin = std::min(margin, values[order[count - 1]] - values[order[count]]);
  }
  order.resize(static_cast<size_t>(count));
  return order;
}

std::vector<double> softmax(const std::vector<double>& x) {
  const double largest = *std::ranges::max_element(x);
  std::vector<double> values;
  for (const double value : x) values.push_back(std::exp(value - largest));
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
  return values;
}

double group_score(RouterRule::GroupScore how, std::vector<double> values) {
  std::ranges::stable_sort(values, better);
  const bool two = how == RouterRule::GroupScore::kSumOfTwoLargest && values.size() > 1;
  return two ? values[0] + values[1] : values[0];
}

}  // namespace

ExpertChoice choose_experts(const RouterRule& rule, const float* logits, const float* choice_bias) {
  const std::vector<double> given(logits, logits + rule.experts);
  std::vector<double> scores = given;
  if (rule.score == RouterRule::Score::kSoftmax) scores = softmax(given);
  if (rule.score == RouterRule::Score::kSigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
  }
  std::vector<double> values = scores;
  for (size_t e = 0; choice_bias != nullptr && e < values.size(); ++e) values[e] += choice_bias[e];

  ExpertChoice choice{.margin = kInfinity};
  const auto width = static_cast<size_t>(rule.experts / rule.groups);
  std::vector<double> groups;
  for (size_t g = 0; g < static_cast<size_t>(rule.groups); ++g) {
    groups.push_back(group_score(rule.group_score, {&values[g * width], &values[g * width] + width}));
  }
  std::vector<int> experts;  // of the chosen groups
  for (const int g : best_of(groups, rule.chosen_groups, choice.margin)) {
    for (size_t e = 0; e < width; ++e) experts.push_back(static_cast<int>(static_cast<size_t>(g) * width + e));
  }
  std::ranges::sort(experts);
  std::vector<double> offered;
  for (const int e : experts) offered.push_back(values[static_cast<size_t>(e)]);
  for (const int place : best_of(offered, rule.per_token, choice.margin)) choice.chosen.push_back(experts[place]);
  std::ranges::sort(choice.chosen);

  for (const int32_t e : choice.chosen) choice.weights.push_back(scores[static_cast<size_t>(e)]);
  if (rule.score == RouterRule::Score::kSoftmaxOfChosen) choice.weights = softmax(choice.weights);
  const double sum = std::accumulate(choice.weights.begin(), choice.weights.end(), 0.0);
  for (double& weight : choice.weights)
    weight = rule.scale * weight / (rule.renormalized ? sum + kLeastWeightSum : 1.0);
  return choice;
}

ExpertRows sort_by_expert(const std::vector<int32_t>& chosen, int experts, int per_token) {
  ExpertRows table{.row_begin = {0}, .rows = std::vector<int32_t>(chosen.size()), .row_token = {}};
  for (int32_t e = 0; e < experts; ++e) {
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] != e) continue;
      table.rows[i] = static_cast<int32_t>(table.row_token.size());
      table.row_token.push_back(static_cast<int32_t>(i / static_cast<size_t>(per_token)));
    }
    table.row_begin.push_back(static_cast<int32_t>(table.row_token.size()));
  }
  return table;
}

}  // namespace caravel::kernels::ref
