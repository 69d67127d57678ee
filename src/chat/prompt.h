#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "caravel/tokenizer.h"

namespace caravel::chat {

/// One prompt, tokenized: so that what is wrong with it is known before anything runs.
struct Prompt {
  std::vector<int32_t> tokens;
  std::optional<std::string> text;  // where it was one
};

/// Special tokens that are written in the text count as such.
Prompt text_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens);

/// What a chat template has rendered: it has written the special tokens itself (Tokenizer::encode_chat()).
/// add_special_tokens: the model's come around it as well, but never a second beginning of sequence.
Prompt chat_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens);

/// Throws FieldError about `path` for an id outside the vocabulary.
void check_token_ids(std::span<const int32_t> tokens, const std::string& path, int vocab_size);

}  // namespace caravel::chat
