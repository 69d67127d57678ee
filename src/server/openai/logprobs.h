#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "caravel/result.h"
#include "caravel/tokenizer.h"
#include "server/endpoint/answer_text.h"

namespace caravel::server::openai {

/// How tokens are written.
struct TokenNames {
  const Tokenizer& tokenizer;
  bool as_ids = false;  // vLLM's return_tokens_as_token_ids: "token_id:17"

  /// The token's text; of bytes that are no UTF-8 by themselves OpenAI's "\xe2\x80".
  std::string name(int32_t token) const;
};

// Lists of log-probabilities, to be added to `out`, which makes them when they are sent: `logprobs` must last until
// then. top: how many of the likely ones are told at each place.

/// Chat's form, an object a token: {"token", "logprob", "bytes", "top_logprobs": [...]}.
Json chat_logprobs(std::span<const TokenLogprob> logprobs, size_t top, const TokenNames& names, AnswerText& out);
/// One of them.
void write_chat_logprob(const TokenLogprob& logprob, size_t top, const TokenNames& names, std::string& out);

/// vLLM's prompt_logprobs: null, then for each further token {"id": {"logprob", "rank", "decoded_token"}}.
Json prompt_logprobs_json(std::span<const TokenLogprob> logprobs, size_t top, const Tokenizer& tokenizer,
                          AnswerText& out);

/// The form of /v1/completions: {"tokens", "token_logprobs", "top_logprobs", "text_offset"}, of one answer, as a whole
/// or in stretches. Offsets are in characters of its text.
class TextLogprobs {
 public:
  TextLogprobs(const TokenNames& names, size_t top, bool skip_special)
      : names_(names), top_(top), skip_special_(skip_special), detokenizer_(names.tokenizer, skip_special) {}

  /// A prompt that the answer's text begins with. Its first token has no log-probability.
  struct Prompt {
    std::span<const int32_t> tokens;
    std::span<const TokenLogprob> logprobs;  // as in Result
    std::string_view text;
  };
  /// The next stretch. prompt: before the first one. This object must last as long as they.
  Json json(const Prompt& prompt, std::span<const TokenLogprob> logprobs, AnswerText& out);

 private:
  TokenNames names_;
  size_t top_;
  bool skip_special_;
  Detokenizer detokenizer_;
  size_t offset_ = 0;
};

}  // namespace caravel::server::openai
