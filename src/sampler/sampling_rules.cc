#include "sampler/sampling_rules.h"

namespace caravel::sampler {

SamplingRules rules_of(const SamplingParams& params) {
  return {.max_tokens = *params.max_tokens,
          .min_tokens = *params.min_tokens,
          .temperature = *params.temperature,
          .top_k = *params.top_k,
          .top_p = *params.top_p,
          .min_p = *params.min_p,
          .xtc_probability = *params.xtc_probability,
          .xtc_threshold = *params.xtc_threshold,
          .typical_p = *params.typical_p,
          .repetition_penalty = *params.repetition_penalty,
          .presence_penalty = *params.presence_penalty,
          .frequency_penalty = *params.frequency_penalty,
          .logit_bias = params.logit_bias,
          .allowed_token_ids = params.allowed_token_ids};
}

}  // namespace caravel::sampler
