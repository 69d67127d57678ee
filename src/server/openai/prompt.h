#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "fields/fields.h"
#include "text/prompt_components.h"

namespace caravel::server::openai {

/// One prompt, tokenized: so that what is wrong with it is known before anything runs.
struct Prompt {
  std::vector<int32_t> tokens;
  std::optional<std::string> text;  // as the client wrote it, where it wrote a text
};

/// How many prompts one request may hold, as OpenAI has it.
inline constexpr size_t kMaxPrompts = 2048;

/// truncate_prompt_tokens: the last so many tokens of a prompt are kept; -1: as many as the model takes. Nothing: all.
std::optional<int64_t> parse_truncation(Fields& fields);

/// A text, token ids, or a list of either.
std::vector<Prompt> parse_prompts(const Json& value, const std::string& path, const Tokenizer& tokenizer,
                                  bool add_special_tokens);

/// A text as a prompt. Special tokens that are written in it count as such.
Prompt text_prompt(std::string text, const Tokenizer& tokenizer, bool add_special_tokens);

/// prompt_components: a prompt by its parts (docs/prompting.md).
text::PromptComponents parse_components(const Json& value, const std::string& path);

/// Refuses ids outside the vocabulary.
void check_ids(std::span<const int32_t> tokens, const std::string& path, const ModelInfo& model);

/// Shortens the prompt, and refuses what is empty, has ids outside the vocabulary, or leaves no room for
/// `answer_tokens` (context_length_exceeded).
void fit_prompt(Prompt& prompt, const std::string& path, std::optional<int64_t> truncation, int answer_tokens,
                const ModelInfo& model);

}  // namespace caravel::server::openai
