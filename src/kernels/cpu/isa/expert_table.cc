#include "kernels/expert_table.h"

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void choose_experts(const ChooseExpertsArgs& args, int rank, int size);
void sort_by_expert(const ExpertTable& table, int rank, int size);

namespace {

/// Orders as values do, with NaN below all; 0 and -0 are equal.
int32_t key_of(float value) {
  const float x = value + 0.0F;
  if (x != x) return -0x7fffffff - 1;
  const int32_t bits = __builtin_bit_cast(int32_t, x);
  return bits >= 0 ? bits : bits ^ 0x7fffffff;
}

/// The experts with the largest values of those that were offered, the first being the best.
class BestExperts {
 public:
  explicit BestExperts(int most) : most_(most) {}

  /// Experts ascend, so of equal values the first that came stays before the others.
  void offer(int expert, float value) {
    const int32_t key = key_of(value);
    if (count_ == most_ && key <= keys_[most_ - 1]) return;
    int at = count_ < most_ ? count_++ : most_ - 1;
    for (; at > 0 && keys_[at - 1] < key; --at) {
      keys_[at] = keys_[at - 1];
      experts_[at] = experts_[at - 1];
    }
    keys_[at] = key;
    experts_[at] = expert;
  }

  void write_ascending(int32_t* out) const {
    for (int i = 0; i < count_; ++i) {
      int at = i;
      for (; at > 0 && out[at - 1] > experts_[i]; --at) out[at] = out[at - 1];
      out[at] = experts_[i];
    }
  }

 private:
  const int most_;
  int count_ = 0;
  int32_t keys_[kMaxExpertsPerToken];
  int32_t experts_[kMaxExpertsPerToken];
};

/// values = e^(x - max x) / (their sum).
void softmax(const float* x, int count, float* values) {
  F32 largest = broadcast(-__builtin_inff());
  for (int i = 0; i < count; i += kLanes) {
    largest =
        max(keep_lanes(load_part(x + i, count - i < kLanes ? count - i : kLanes), 0, count - i, largest), largest);
  }
  const F32 shift = broadcast(reduce_max(largest));
  F32 sum = zero();
  for (int i = 0; i < count; i += kLanes) {
    const int left = count - i < kLanes ? count - i : kLanes;
    const F32 power = keep_lanes(exp(load_part(x + i, left) - shift), 0, left, zero());
    store_part(values + i, power, left);
    sum = sum + power;
  }
  const float total = reduce_add(sum);
  for (int i = 0; i < count; ++i) values[i] /= total;
}

void sigmoid(const float* x, int count, float* values) {
  const F32 one = broadcast(1.0F);
  for (int i = 0; i < count; i += kLanes) {
    const int left = count - i < kLanes ? count - i : kLanes;
    store_part(values + i, one / (one + exp(zero() - load_part(x + i, left))), left);
  }
}

float group_score(RouterRule::GroupScore how, const float* values, int count) {
  float best = values[0];
  float second = __builtin_nanf("");
  for (int i = 1; i < count; ++i) {
    const int32_t key = key_of(values[i]);
    if (key > key_of(best)) {
      second = best;
      best = values[i];
    } else if (key > key_of(second)) {
      second = values[i];
    }
  }
  return how == RouterRule::GroupScore::kSumOfTwoLargest && count > 1 ? best + second : best;
}

/// Of equally good groups the first are chosen.
void choose_groups(const RouterRule& rule, const float* values, bool* chosen) {
  float scores[kMaxExperts];
  const int width = rule.experts / rule.groups;
  for (int g = 0; g < rule.groups; ++g) {
    scores[g] = group_score(rule.group_score, values + g * width, width);
    chosen[g] = false;
  }
  for (int i = 0; i < rule.chosen_groups; ++i) {
    int best = -1;
    for (int g = 0; g < rule.groups; ++g) {
      if (!chosen[g] && (best < 0 || key_of(scores[g]) > key_of(scores[best]))) best = g;
    }
    chosen[best] = true;
  }
}

/// What experts are chosen by. A score that grows with its logit alone is not looked at: far from the largest it may
/// have been rounded to the same number as others, or to 0.
const float* choice_values(const ChooseExpertsArgs& args, const float* logits, const float* scores, float* sums) {
  const RouterRule& rule = args.rule;
  const bool adds = rule.groups > 1 && rule.group_score == RouterRule::GroupScore::kSumOfTwoLargest;
  const float* values = adds || args.choice_bias != nullptr ? scores : logits;
  if (args.choice_bias == nullptr) return values;
  for (int e = 0; e < rule.experts; ++e) sums[e] = values[e] + args.choice_bias[e];
  return sums;
}

void choose(const ChooseExpertsArgs& args, const float* logits, int32_t* chosen, float* weights) {
  const RouterRule& rule = args.rule;
  alignas(64) float scores[kMaxExperts];
  float sums[kMaxExperts];
  if (rule.score == RouterRule::Score::kSoftmax) softmax(logits, rule.experts, scores);
  if (rule.score == RouterRule::Score::kSigmoid) sigmoid(logits, rule.experts, scores);
  const bool of_chosen = rule.score == RouterRule::Score::kSoftmaxOfChosen;
  const float* const values = choice_values(args, logits, of_chosen ? logits : scores, sums);
  bool group_chosen[kMaxExperts];
  if (rule.groups > 1) choose_groups(rule, values, group_chosen);
  BestExperts best(rule.per_token);
  const int width = rule.experts / rule.groups;
  for (int g = 0; g < rule.groups; ++g) {
    if (rule.groups > 1 && !group_chosen[g]) continue;
    for (int e = g * width; e < (g + 1) * width; ++e) best.offer(e, values[e]);
  }
  best.write_ascending(chosen);

  for (int k = 0; k < rule.per_token; ++k) weights[k] = of_chosen ? logits[chosen[k]] : scores[chosen[k]];
  if (of_chosen) softmax(weights, rule.per_token, weights);
  float divisor = 1.0F;
  if (rule.renormalized) {
    float sum = 0.0F;
    for (int k = 0; k < rule.per_token; ++k) sum += weights[k];
    divisor = sum + kLeastWeightSum;
  }
  for (int k = 0; k < rule.per_token; ++k) weights[k] = weights[k] / divisor * rule.scale;
}

}  // namespace

void choose_experts(const ChooseExpertsArgs& args, int rank, int size) {
  const int64_t per_token = args.rule.per_token;
  const Share tokens = share(args.table.tokens, rank, size);
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    choose(args, static_cast<const float*>(args.logits.data) + t * args.logits.stride,
           args.table.chosen + t * per_token, args.table.weights + t * per_token);
  }
}

/// A rank writes the rows of its share of tokens. To know where these begin it counts the experts of all tokens for
/// itself, which takes less time than waiting for the others' counts.
void sort_by_expert(const ExpertTable& table, int rank, int size) {
  const Share tokens = share(table.tokens, rank, size);
  int32_t counts[kMaxExperts];
  int32_t next[kMaxExperts];  // where the expert's next row goes
  for (int e = 0; e < table.experts; ++e) counts[e] = 0;
  const auto count = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * table.per_token; i < end * table.per_token; ++i) ++counts[table.chosen[i]];
  };
  count(0, tokens.begin);
  for (int e = 0; e < table.experts; ++e) next[e] = counts[e];
  count(tokens.begin, table.tokens);
  int32_t begin = 0;
  for (int e = 0; e < table.experts; ++e) {
    next[e] += begin;
    if (rank == 0) table.row_begin[e] = begin;
    begin += counts[e];
  }
  if (rank == 0) table.row_begin[table.experts] = begin;
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    for (int64_t i = t * table.per_token; i < (t + 1) * table.per_token; ++i) {
      const int32_t row = next[table.chosen[i]]++;
      table.rows[i] = row;
      table.row_token[row] = static_cast<int32_t>(t);
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
