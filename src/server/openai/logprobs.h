#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "caravel/result.h"
#include "caravel/tokenizer.h"
#include "fields/json.h"

namespace caravel::server::openai {

/// How tokens are written.
struct TokenNames {
  const Tokenizer& tokenizer;
  bool as_ids = false;  // vLLM's return_tokens_as_token_ids: "token_id:17"

  /// The token's text; of bytes that are no UTF-8 by themselves OpenAI's "\xe2\x80".
  std::string name(int32_t token) const;
};

/// Chat's form, one object a token: {"token", "logprob", "bytes", "top_logprobs": [...]}. top: how many of the likely.
Json chat_logprobs(std::span<const TokenLogprob> logprobs, size_t top, const TokenNames& names);

/// vLLM's prompt_logprobs: null, then for each further token {"id": {"logprob", "rank", "decoded_token"}}.
Json prompt_logprobs_json(std::span<const TokenLogprob> logprobs, size_t top, const Tokenizer& tokenizer);

/// The form of /v1/completions, which grows token by token: {"tokens", "token_logprobs", "top_logprobs",
/// "text_offset"}. Offsets are in characters of the text.
class TextLogprobs {
 public:
  TextLogprobs(const TokenNames& names, size_t top, bool skip_special)
      : names_(names), top_(top), skip_special_(skip_special), detokenizer_(names.tokenizer, skip_special) {}

  /// Tokens of the prompt, whose first has no log-probability, and whose text is `text` in the answer. logprobs: as in
  /// Result.
  void add_prompt(std::span<const int32_t> tokens, std::span<const TokenLogprob> logprobs, std::string_view text);
  /// A prompt that is only shown: what follows begins after it.
  void skip_prompt(std::string_view text);
  void add(std::span<const TokenLogprob> logprobs);
  /// What was added since the last take().
  Json take();

 private:
  void add_token(int32_t token);

  TokenNames names_;
  size_t top_;
  bool skip_special_;
  Detokenizer detokenizer_;
  size_t offset_ = 0;
  Json tokens_ = Json::array();
  Json token_logprobs_ = Json::array();
  Json top_logprobs_ = Json::array();
  Json text_offset_ = Json::array();
};

}  // namespace caravel::server::openai
