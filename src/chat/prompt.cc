#include "chat/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fields/fields.h"

namespace caravel::chat {

Prompt text_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens) {
  std::vector<int32_t> tokens = tokenizer.encode(text, {.add_special = add_special_tokens, .parse_special = true});
  return {.tokens = std::move(tokens), .text = std::move(text)};
}

Prompt chat_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens) {
  if (!add_special_tokens) {
    std::vector<int32_t> tokens = tokenizer.encode_chat(text);
    return {.tokens = std::move(tokens), .text = std::move(text)};
  }
  Prompt prompt = text_prompt(std::move(text), tokenizer, true);
  std::vector<int32_t>& tokens = prompt.tokens;
  const std::optional<int32_t> bos = tokenizer.bos_id();
  if (bos && tokens.size() >= 2 && tokens[0] == *bos && tokens[1] == *bos) tokens.erase(tokens.begin());
  return prompt;
}

void check_token_ids(std::span<const int32_t> tokens, const std::string& path, int vocab_size) {
  const auto outside = std::ranges::find_if(tokens, [&](int32_t id) { return id < 0 || id >= vocab_size; });
  if (outside == tokens.end()) return;
  throw bad_field(path, fmt::format("Invalid '{}': token id {} is outside the vocabulary, whose ids are 0 to {}.", path,
                                    *outside, vocab_size - 1));
}

}  // namespace caravel::chat
