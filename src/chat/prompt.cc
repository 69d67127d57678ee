#include "chat/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace caravel::chat {

FieldError too_long(const std::string& path, int max_model_len, size_t tokens, bool is_least) {
  return {path, "context_length_exceeded",
          fmt::format("This model's maximum context length is {} tokens. However, your prompt has {}{} tokens. Please "
                      "reduce its length.",
                      max_model_len, is_least ? "at least " : "", tokens)};
}

void check_room(std::string_view text, const PromptRoom& room, const std::string& path, const Tokenizer& tokenizer) {
  const size_t least = tokenizer.least_tokens(text);
  if (least > room.tokens) throw too_long(path, room.max_model_len, least, true);
}

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

void cut(Prompt& prompt, size_t kept, const ModelInfo& model, const Tokenizer& tokenizer) {
  std::vector<int32_t>& tokens = prompt.tokens;
  if (tokens.size() <= kept) return;
  prompt.text.reset();
  if (!is_encoder(model)) {
    tokens.erase(tokens.begin(), tokens.end() - static_cast<ptrdiff_t>(kept));
    return;
  }
  const std::vector<int32_t> around = tokenizer.encode("");
  const bool ends = !around.empty() && tokens.back() == around.back();
  tokens.resize(kept);
  if (ends) tokens.back() = around.back();
}

void check_token_ids(std::span<const int32_t> tokens, const std::string& path, int vocab_size) {
  const auto outside = std::ranges::find_if(tokens, [&](int32_t id) { return id < 0 || id >= vocab_size; });
  if (outside == tokens.end()) return;
  throw bad_field(path, fmt::format("Invalid '{}': token id {} is outside the vocabulary, whose ids are 0 to {}.", path,
                                    *outside, vocab_size - 1));
}

}  // namespace caravel::chat
