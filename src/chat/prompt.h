#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/engine.h"
#include "caravel/tokenizer.h"
#include "fields/fields.h"

namespace caravel::chat {

/// One prompt, tokenized: so that what is wrong with it is known before anything runs.
struct Prompt {
  std::vector<int32_t> tokens;
  std::optional<std::string> text;  // where it was one
};

/// The room that a prompt has.
struct PromptRoom {
  int max_model_len = 0;
  size_t tokens = 0;  // of it, a prompt's
};

/// 400, context_length_exceeded: the prompt that the field `path` gives has too many tokens; is_least: these or more.
FieldError too_long(const std::string& path, int max_model_len, size_t tokens, bool is_least = false);

/// Throws too_long() where the text has more tokens than there is room for, whatever they are.
void check_room(std::string_view text, const PromptRoom& room, const std::string& path, const Tokenizer& tokenizer);

/// Special tokens that are written in the text count as such.
Prompt text_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens);

/// What a chat template has rendered: it has written the special tokens itself (Tokenizer::encode_chat()).
/// add_special_tokens: the model's come around it as well, but never a second beginning of sequence.
Prompt chat_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens);

/// Keeps the last `kept` tokens, at least one. Of an encoder the first ones, the last of which is the special token
/// that was last, as sentence-transformers cuts texts.
void cut(Prompt& prompt, size_t kept, const ModelInfo& model, const Tokenizer& tokenizer);

/// Throws FieldError about `path` for an id outside the vocabulary.
void check_token_ids(std::span<const int32_t> tokens, const std::string& path, int vocab_size);

}  // namespace caravel::chat
