#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace caravel {

/// Natural-log probability of one token at its place, and the most likely ones there.
struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;
  int rank = 0;                                // 1: the most likely of the vocabulary; 0: not computed
  std::vector<std::pair<int32_t, float>> top;  // up to K, most likely first
};

enum class FinishReason : uint8_t { kNone, kStop, kLength, kCancelled, kError };

/// OpenAI's spelling: "stop", "length", "cancelled", "error"; "" while running.
inline const char* finish_reason_name(FinishReason reason) {
  static constexpr const char* kNames[] = {"", "stop", "length", "cancelled", "error"};
  return kNames[static_cast<int>(reason)];
}

struct Usage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int cached_tokens = 0;  // of the prompt, found in the prefix cache
};

/// What is new of one answer since the last Delta of it. Texts and tokens of all deltas of an index, joined, are the
/// answer. The id that ends an answer (end of generation, or a stop id) is the last of its tokens and counts as
/// generated, but is not in its text; a stop string is not in the text either, unless include_stop_str_in_output, and
/// the tokens that spell it are kept. Text may come later than its tokens: what may yet become a stop string waits.
struct Delta {
  int index = 0;  // which of n
  std::string text;
  std::vector<int32_t> token_ids;
  std::vector<TokenLogprob> logprobs;                // one for each of token_ids, where asked
  FinishReason finish_reason = FinishReason::kNone;  // set in the last delta of an index
  std::string stop_reason;                           // the stop string or id that ended it, if one did
};

/// One whole answer.
struct Completion {
  int index = 0;
  std::string text;
  std::vector<int32_t> token_ids;
  std::vector<TokenLogprob> logprobs;
  FinishReason finish_reason = FinishReason::kNone;
  std::string stop_reason;
  float cumulative_logprob = 0;
};

/// A request's end.
struct Result {
  std::string id;
  std::vector<Completion> completions;        // n, by index; beams best first
  std::vector<TokenLogprob> prompt_logprobs;  // where asked: one for each prompt token but the first
  Usage usage;
  std::string error;  // not empty: why finish_reason is kError
};

struct Score {
  double logprob = 0;  // sum of token_logprobs
  std::vector<int32_t> tokens;
  std::vector<float> token_logprobs;
  std::vector<bool> is_greedy;  // the token is the most likely one at its place
};

}  // namespace caravel
