#include "server/endpoint/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fields/empty_array.h"

namespace caravel::server {

std::optional<int64_t> parse_truncation(Fields& fields) {
  const std::optional<int> value = fields.integer("truncate_prompt_tokens");
  if (value == 0) {
    throw bad_field(fields.path("truncate_prompt_tokens"),
                    "Invalid 'truncate_prompt_tokens': 0 would leave no prompt; give -1 or at least 1.");
  }
  return value;
}

std::optional<chat::PromptRoom> room_of(std::optional<int64_t> truncation, int answer_tokens, const ModelInfo& model) {
  if (truncation) return std::nullopt;
  return chat::PromptRoom{model.max_model_len, static_cast<size_t>(model.max_model_len - std::min(answer_tokens, 1))};
}

std::vector<chat::Prompt> parse_prompts(const Json& value, const std::string& path, const Tokenizer& tokenizer,
                                        bool add_special_tokens, const std::optional<chat::PromptRoom>& room) {
  std::vector<chat::Prompt> prompts;
  const auto add_text = [&](const std::string& text) {
    if (room) chat::check_room(text, *room, path, tokenizer);
    prompts.push_back(chat::text_prompt(text, tokenizer, add_special_tokens));
  };
  if (value.is_string()) {
    add_text(value.get_ref<const std::string&>());
    return prompts;
  }
  if (!value.is_array()) throw wrong_type(value, path, "a string, an array of token ids, or an array of either");
  if (value.empty()) throw empty_array(path);
  if (value.front().is_number()) {
    prompts.push_back({.tokens = as_token_ids(value, path), .text = std::nullopt});
    return prompts;
  }
  for (const Json& item : as_array(value, path, kMaxPrompts)) {
    const std::string item_path = join_path(path, prompts.size());
    if (item.is_string()) {
      add_text(item.get_ref<const std::string&>());
    } else if (item.is_array()) {
      if (item.empty()) throw empty_array(item_path);
      prompts.push_back({.tokens = as_token_ids(item, item_path), .text = std::nullopt});
    } else {
      throw wrong_type(item, item_path, "a string or an array of token ids");
    }
  }
  return prompts;
}

void fit_prompt(chat::Prompt& prompt, const std::string& path, std::optional<int64_t> truncation, int answer_tokens,
                const ModelInfo& model, const Tokenizer& tokenizer) {
  const std::vector<int32_t>& tokens = prompt.tokens;
  if (tokens.empty()) throw bad_field(path, fmt::format("Invalid '{}': the prompt has no token.", path));
  chat::check_token_ids(tokens, path, model.vocab_size);
  const auto room = static_cast<size_t>(model.max_model_len - std::min(answer_tokens, 1));
  if (truncation) chat::cut(prompt, *truncation < 0 ? room : static_cast<size_t>(*truncation), model, tokenizer);
  if (tokens.size() > room) throw chat::too_long(path, model.max_model_len, tokens.size());
}

}  // namespace caravel::server
