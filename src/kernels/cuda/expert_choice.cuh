#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/expert_table.h"

namespace caravel::kernels::cuda {

/// What a warp needs of shared memory for a choice.
struct ChoiceSpace {
  int32_t chosen[kMaxExpertsPerToken];
  float weights[kMaxExpertsPerToken];
};
/// And beside it where there are groups, behind the spaces of all warps: a value for each expert, a key for each group.
inline size_t group_space_bytes(const RouterRule& rule) {
  return rule.groups > 1 ? static_cast<size_t>(rule.experts + rule.groups) * sizeof(float) : 0;
}

/// Orders as values do, with NaN below all and nothing (0) below that; 0 and -0 are equal.
__device__ __forceinline__ uint32_t choice_key(float value) {
  const float x = __fadd_rn(value, 0.0F);
  if (x != x) return 1;
  const uint32_t bits = __float_as_uint(x);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/// e^(x - max x) / (their sum) of what all lanes have, of which some is -infinity where there is nothing.
template <int kEach>
__device__ __forceinline__ void softmax(float (&x)[kEach]) {
  float largest = x[0];
#pragma unroll
  for (int i = 1; i < kEach; ++i) largest = fmaxf(largest, x[i]);
  largest = reduce_warp(largest, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0.0F;
#pragma unroll
  for (float& value : x) {
    value = expf(__fsub_rn(value, largest));
    sum = __fadd_rn(sum, value);
  }
  sum = reduce_warp(sum, Sum());
#pragma unroll
  for (float& value : x) value = __fdiv_rn(value, sum);
}

__device__ __forceinline__ float sigmoid(float x) { return __fdiv_rn(1.0F, __fadd_rn(1.0F, expf(-x))); }

/// A warp's choice for a token: lane l has experts l, l + 32, ..., kEach of them.
template <int kEach>
class ExpertChooser {
 public:
  static constexpr float kNothing = -__builtin_inff();

  /// group_spaces: of group_space_bytes() for each of the block's warps.
  __device__ ExpertChooser(const ChooseExpertsArgs& args, ChoiceSpace& space, float* group_spaces)
      : table_(args.table),
        rule_(args.rule),
        bias_(args.choice_bias),
        space_(space),
        group_values_(group_spaces + threadIdx.x / kWarp * (args.rule.experts + args.rule.groups)) {}

  /// logit_of(e): of an expert. Leaves `chosen` and `weights` in the warp's space, and in the table where it `writes`.
  /// All lanes.
  template <typename LogitOf>
  __device__ void choose(int64_t token, bool writes, LogitOf logit_of) {
    __syncwarp();  // what the choice before left may still be read
    float scores[kEach];
#pragma unroll
    for (int i = 0; i < kEach; ++i) scores[i] = there(i) ? logit_of(expert(i)) : kNothing;
    set_keys(scores);
    if (rule_.groups > 1) keep_groups();
    const uint32_t taken = take_best();
    write_ascending(taken, scores);
    finish_weights();
    if (!writes || lane_ >= rule_.per_token) return;
    table_.chosen[token * rule_.per_token + lane_] = space_.chosen[lane_];
    table_.weights[token * rule_.per_token + lane_] = space_.weights[lane_];
  }

 private:
  __device__ int expert(int i) const { return lane_ + i * kWarp; }
  __device__ bool there(int i) const { return expert(i) < rule_.experts; }

  /// Makes scores of logits, and keys of what experts are chosen by. A score that grows with its logit alone is not
  /// looked at: far from the largest it may have been rounded to the same number as others, or to 0.
  __device__ void set_keys(float (&scores)[kEach]) {
    const bool adds = rule_.groups > 1 && rule_.group_score == RouterRule::GroupScore::kSumOfTwoLargest;
    const bool by_score = adds || bias_ != nullptr;
    float values[kEach];
#pragma unroll
    for (int i = 0; i < kEach; ++i) values[i] = scores[i];
    if (rule_.score == RouterRule::Score::kSoftmax) softmax(scores);
    if (rule_.score == RouterRule::Score::kSigmoid) {
#pragma unroll
      for (float& score : scores) score = sigmoid(score);
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      if (by_score) values[i] = scores[i];
      if (bias_ != nullptr && there(i)) values[i] = __fadd_rn(values[i], bias_[expert(i)]);
      keys_[i] = there(i) ? choice_key(values[i]) : 0;
      if (rule_.groups > 1 && there(i)) group_values_[expert(i)] = values[i];
    }
  }

  /// Of equally good groups the first are kept; keys of the others' experts become nothing.
  __device__ void keep_groups() {
    const int width = rule_.experts / rule_.groups;
    auto* const group_keys = reinterpret_cast<uint32_t*>(group_values_ + rule_.experts);
    __syncwarp();
    for (int g = lane_; g < rule_.groups; g += kWarp) group_keys[g] = choice_key(group_score(g * width, width));
    __syncwarp();
    // A group that is kept has no key any more.
    for (int round = 0; round < rule_.chosen_groups; ++round) {
      uint32_t best = 0;
      for (int g = lane_; g < rule_.groups; g += kWarp) best = max(best, group_keys[g]);
      best = __reduce_max_sync(kAllLanes, best);
      int first = rule_.groups;
      for (int g = lane_; g < rule_.groups && first == rule_.groups; g += kWarp) {
        if (group_keys[g] == best) first = g;
      }
      first = __reduce_min_sync(kAllLanes, first);
      if (lane_ == first % kWarp) group_keys[first] = 0;
      __syncwarp();
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      if (there(i) && group_keys[expert(i) / width] != 0) keys_[i] = 0;
    }
  }

  __device__ float group_score(int begin, int width) const {
    float best = group_values_[begin];
    float second = __builtin_nanf("");
    for (int i = 1; i < width; ++i) {
      const float value = group_values_[begin + i];
      const uint32_t key = choice_key(value);
      if (key > choice_key(best)) {
        second = best;
        best = value;
      } else if (key > choice_key(second)) {
        second = value;
      }
    }
    return rule_.group_score == RouterRule::GroupScore::kSumOfTwoLargest && width > 1 ? __fadd_rn(best, second) : best;
  }

  /// Bit i: expert(i) is among the best, of equal ones the lower.
  __device__ uint32_t take_best() {
    uint32_t taken = 0;
    for (int round = 0; round < rule_.per_token; ++round) {
      uint32_t own = 0;
      int place = 0;
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        if (keys_[i] <= own) continue;
        own = keys_[i];
        place = i;
      }
      const uint32_t best = __reduce_max_sync(kAllLanes, own);
      // Rarely several lanes have it.
      bool is_first = own == best;
      const unsigned lanes = __ballot_sync(kAllLanes, is_first);
      if ((lanes & (lanes - 1)) != 0) {
        const int first = __reduce_min_sync(kAllLanes, is_first ? expert(place) : kMaxExperts);
        is_first = is_first && expert(place) == first;
      }
      if (!is_first) continue;
      taken |= 1U << place;
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        if (i == place) keys_[i] = 0;
      }
    }
    return taken;
  }

  __device__ void write_ascending(uint32_t taken, const float (&scores)[kEach]) {
    int begin = 0;
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const bool is_taken = (taken >> i & 1U) != 0;
      const unsigned lanes = __ballot_sync(kAllLanes, is_taken);
      if (is_taken) {
        const int at = begin + __popc(lanes & ((1U << lane_) - 1));
        space_.chosen[at] = expert(i);
        space_.weights[at] = scores[i];
      }
      begin += __popc(lanes);
    }
    __syncwarp();
  }

  __device__ void finish_weights() {
    const bool mine = lane_ < rule_.per_token;
    const bool of_chosen = rule_.score == RouterRule::Score::kSoftmaxOfChosen;
    float weight[1] = {mine ? space_.weights[lane_] : of_chosen ? kNothing : 0.0F};
    if (of_chosen) softmax(weight);
    if (rule_.renormalized) {
      const float sum = reduce_warp(mine ? weight[0] : 0.0F, Sum());
      weight[0] = __fdiv_rn(weight[0], __fadd_rn(sum, kLeastWeightSum));
    }
    if (mine) space_.weights[lane_] = __fmul_rn(weight[0], rule_.scale);
    __syncwarp();
  }

  const ExpertTable& table_;
  const RouterRule& rule_;
  const float* const bias_;
  ChoiceSpace& space_;
  float* const group_values_;
  const int lane_ = static_cast<int>(threadIdx.x) % kWarp;
  uint32_t keys_[kEach];
};

/// function.template operator()<kEach>() for a chooser of so many experts.
template <typename Function>
void with_chooser(int experts, Function&& function) {
  if (experts <= 4 * kWarp) return function.template operator()<4>();
  if (experts <= 8 * kWarp) return function.template operator()<8>();
  if (experts <= 16 * kWarp) return function.template operator()<16>();
  function.template operator()<kMaxExperts / kWarp>();
}

}  // namespace caravel::kernels::cuda
