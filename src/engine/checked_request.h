#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "caravel/tokenizer.h"
#include "engine/output_text.h"
#include "engine/prompt_logprobs.h"
#include "engine/request_channel.h"
#include "grammar/constraint.h"
#include "sampler/sampling_rules.h"

namespace caravel::engine {

/// All that a request for answers says, checked and in ids. Made by submit(), used by the task.
struct CheckedRequest {
  SamplingParams params;                                // resolved; max_tokens: what there is room for
  std::shared_ptr<const sampler::SamplingRules> rules;  // how to draw by them
  std::vector<int32_t> end_of_generation_ids;           // empty where the request ignores them
  OutputText::Options text;
  const Tokenizer* tokenizer = nullptr;
  std::unique_ptr<PromptLogprobs> prompt_logprobs;  // where asked
  std::shared_ptr<grammar::StateSpace> grammar;     // where asked: what each answer must look like
  size_t vocab_size = 0;                            // logits in a row
  grammar::MaskThreads* mask_threads = nullptr;     // that make its masks
  std::shared_ptr<RequestChannel> channel;
  int top = -1;               // Draw::top of its draws
  int64_t logprob_bytes = 0;  // that those of the prompt and of all answers may come to take
  scheduler::GroupParams group;

  bool ends_generation(int32_t token) const;  // an end-of-generation id
  bool stops(int32_t token) const;            // one of the request's own stop ids
};

}  // namespace caravel::engine
