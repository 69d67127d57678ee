#pragma once

#include <cstdint>
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

/// The stop_reason, vLLM's, of an answer that ended with kLength since it went round in a circle:
/// SamplingParams::repetition_window.
inline constexpr const char* kRepetitionDetected = "repetition_detected";

struct Usage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int cached_tokens = 0;  // prompt tokens that the prefix cache had
};

/// One piece of a chat's answer, in the order in which it came. Pieces of a kind, joined, are that part of the whole.
struct Piece {
  enum class Kind : uint8_t {
    kContent,
    kReasoning,
    kToolCall,       // a new call begins: index and name
    kToolArguments,  // more of the JSON text of call `index`'s arguments
  };
  Kind kind = Kind::kContent;
  int index = 0;  // the tool call's
  std::string text;

  bool operator==(const Piece&) const = default;
};

/// What is new of one answer since the last Delta of it. Texts and tokens of all deltas of an index, joined, are the
/// answer. The id that ends an answer (end of generation, or a stop id) is the last of its tokens and counts as
/// generated, but is not in its text; a stop string is not in the text either, unless include_stop_str_in_output, and
/// the tokens that spell it are kept. Text may come later than its tokens: what may yet become a stop string waits.
struct Delta {
  int index = 0;  // which of n
  std::string text;
  std::vector<Piece> pieces;  // chats alone: the text taken apart; of neighbours no two are of one kind and call
  std::vector<int32_t> token_ids;
  std::vector<TokenLogprob> logprobs;                // one for each of token_ids, where asked
  FinishReason finish_reason = FinishReason::kNone;  // set in the last delta of an index
  std::string stop_reason;                           // the stop string or id that ended it, or kRepetitionDetected
};

struct ToolCall {
  std::string id;         // the caller's name for it, by which its result is sent back
  std::string name;       // the function's
  std::string arguments;  // a JSON object, as text; cut where max_tokens cut the answer
};

/// One whole answer.
struct Completion {
  int index = 0;
  std::string text;
  std::string content;               // chats alone, as are the next two: the text but for reasoning and calls
  std::string reasoning;             // what the model wrote between its reasoning marks
  std::vector<ToolCall> tool_calls;  // in order
  std::vector<int32_t> token_ids;
  std::vector<TokenLogprob> logprobs;
  FinishReason finish_reason = FinishReason::kNone;
  std::string stop_reason;
  float cumulative_logprob = 0;
};

/// The log-probability of one continuation.
struct Score {
  double logprob = 0;           // the sum of token_logprobs
  std::vector<int32_t> tokens;  // those that are scored
  std::vector<float> token_logprobs;
  std::vector<bool> is_greedy;  // the token is the most likely one at its place
};

/// The end of a request: all of it. What the request did not ask for is empty.
struct Result {
  std::string id;
  std::vector<Completion> completions;        // n, by index; beams best first
  std::vector<TokenLogprob> prompt_logprobs;  // where asked: one for each prompt token but the first
  std::vector<std::vector<Score>> scores;     // [prefix][continuation]; a prefix that was not done has none
  std::vector<float> embedding;               // [hidden_size]
  Usage usage;
  std::string error;  // not empty: why finish_reason is kError; or that scores or an embedding were cancelled
  bool contradicts_itself = false;  // `error` is the request's own: what it demands cannot be had together
};

}  // namespace caravel
