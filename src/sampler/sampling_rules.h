#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "sampler/bad_words.h"

namespace caravel::sampler {

/// How the tokens of a request's answers are drawn: what SamplingParams says of it, resolved, with texts turned into
/// ids. Plain data.
struct SamplingRules {
  int max_tokens = 0;  // that will be drawn
  int min_tokens = 0;  // before these many none of end_ids is drawn
  float temperature = 0;
  int top_k = 0;  // 0 or less: off
  float top_p = 1;
  float min_p = 0;
  float xtc_probability = 0;
  float xtc_threshold = 0;
  float typical_p = 1;
  float repetition_penalty = 1;
  float presence_penalty = 0;
  float frequency_penalty = 0;
  std::vector<std::pair<int32_t, float>> logit_bias;
  std::vector<int32_t> allowed_token_ids;  // empty: all
  uint64_t seed = 0;
  std::vector<int32_t> end_ids;
  BadWords bad_words;
};

/// Those of resolved parameters, without what needs a tokenizer, a model or a seed.
SamplingRules rules_of(const SamplingParams& params);

}  // namespace caravel::sampler
