#include "server/openai/prompt.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace caravel::server::openai {

std::optional<int64_t> parse_truncation(Fields& fields) {
  const std::optional<int64_t> value =
      fields.integer("truncate_prompt_tokens", -1, std::numeric_limits<int32_t>::max());
  if (value == 0) {
    throw bad_field(fields.path("truncate_prompt_tokens"),
                    "Invalid 'truncate_prompt_tokens': 0 would leave no prompt; give -1 or at least 1.");
  }
  return value;
}

Prompt text_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens) {
  std::vector<int32_t> tokens = tokenizer.encode(text, {.add_special = add_special_tokens, .parse_special = true});
  return {.tokens = std::move(tokens), .text = std::move(text)};
}

std::vector<Prompt> parse_prompts(const Json& value, const std::string& path, const Tokenizer& tokenizer,
                                  bool add_special_tokens) {
  std::vector<Prompt> prompts;
  const auto add_text = [&](const std::string& text) {
    prompts.push_back(text_prompt(text, tokenizer, add_special_tokens));
  };
  if (value.is_string()) {
    add_text(value.get_ref<const std::string&>());
    return prompts;
  }
  if (!value.is_array()) throw wrong_type(value, path, "a string, an array of token ids, or an array of either");
  if (value.empty()) throw bad_field(path, "Invalid '" + path + "': the array is empty.");
  if (value.front().is_number()) {
    prompts.push_back({.tokens = as_token_ids(value, path), .text = std::nullopt});
    return prompts;
  }
  if (value.size() > kMaxPrompts) {
    throw FieldError(path, "array_above_max_length",
                   fmt::format("Invalid '{}': array too long. Expected an array with maximum length {}, but got an "
                               "array with length {} instead.",
                               path, kMaxPrompts, value.size()));
  }
  for (const Json& item : value) {
    const std::string item_path = join_path(path, prompts.size());
    if (item.is_string()) {
      add_text(item.get_ref<const std::string&>());
    } else if (item.is_array()) {
      prompts.push_back({.tokens = as_token_ids(item, item_path), .text = std::nullopt});
    } else {
      throw wrong_type(item, item_path, "a string or an array of token ids");
    }
  }
  return prompts;
}

text::PromptComponents parse_components(const Json& value, const std::string& path) {
  try {
    return text::parse_prompt_components(to_text(as_object(value, path)), path);
  } catch (const FieldError&) {
    throw;
  } catch (const Error& error) {
    throw bad_field(path, error.what());
  }
}

void check_ids(std::span<const int32_t> tokens, const std::string& path, const ModelInfo& model) {
  const auto outside = std::ranges::find_if(tokens, [&](int32_t id) { return id < 0 || id >= model.vocab_size; });
  if (outside == tokens.end()) return;
  throw bad_field(path, fmt::format("Invalid '{}': token id {} is outside the vocabulary, whose ids are 0 to {}.", path,
                                    *outside, model.vocab_size - 1));
}

void fit_prompt(Prompt& prompt, const std::string& path, std::optional<int64_t> truncation, int answer_tokens,
                const ModelInfo& model) {
  std::vector<int32_t>& tokens = prompt.tokens;
  if (tokens.empty()) throw bad_field(path, fmt::format("Invalid '{}': the prompt has no token.", path));
  check_ids(tokens, path, model);
  const auto room = static_cast<size_t>(model.max_model_len - std::min(answer_tokens, 1));
  if (truncation) {
    const size_t kept = *truncation < 0 ? room : static_cast<size_t>(*truncation);
    if (tokens.size() > kept) {
      tokens.erase(tokens.begin(), tokens.end() - static_cast<ptrdiff_t>(kept));
      prompt.text.reset();
    }
  }
  if (tokens.size() > room) {
    throw FieldError(path, "context_length_exceeded",
                   fmt::format("This model's maximum context length is {} tokens. However, your prompt has {} tokens. "
                               "Please reduce its length.",
                               model.max_model_len, tokens.size()));
  }
}

}  // namespace caravel::server::openai
