#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "chat/prompt.h"
#include "fields/fields.h"

namespace caravel::server {

/// How many prompts one request may hold, as OpenAI has it.
inline constexpr size_t kMaxPrompts = 2048;

/// truncate_prompt_tokens: the last so many tokens of a prompt are kept; -1: as many as the model takes. Nothing: all.
std::optional<int64_t> parse_truncation(Fields& fields);

/// What a prompt may take where answer_tokens follow it; nothing where it is shortened to fit.
std::optional<chat::PromptRoom> room_of(std::optional<int64_t> truncation, int answer_tokens, const ModelInfo& model);

/// A text, token ids, or a list of either. A text that surely has no room is refused before it is tokenized.
std::vector<chat::Prompt> parse_prompts(const Json& value, const std::string& path, const Tokenizer& tokenizer,
                                        bool add_special_tokens, const std::optional<chat::PromptRoom>& room);

/// Shortens the prompt, and refuses what is empty, has ids outside the vocabulary, or leaves no room for
/// `answer_tokens` (context_length_exceeded).
void fit_prompt(chat::Prompt& prompt, const std::string& path, std::optional<int64_t> truncation, int answer_tokens,
                const ModelInfo& model, const Tokenizer& tokenizer);

}  // namespace caravel::server
