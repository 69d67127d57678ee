#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "api/sampling_params.h"

namespace caravel {

/// One prompt and how to answer it.
struct Request {
  std::string id;                                          // the caller's; empty: the engine makes one
  std::variant<std::string, std::vector<int32_t>> prompt;  // text, or token ids taken as they are
  bool add_special_tokens = true;  // text alone: the beginning-of-sequence token, where the model wants one
  bool parse_special = true;       // text alone: special tokens written in it count as such
  SamplingParams sampling;
  int priority = 0;        // lower runs first, under the priority policy
  std::string cache_salt;  // prompts of different salts never share cached blocks
};

/// Log-probabilities of many continuations of one prefix, which is computed once.
struct ScoreRequest {
  std::vector<int32_t> prefix;                      // at least one token
  std::vector<std::vector<int32_t>> continuations;  // at least one token each
};

}  // namespace caravel
