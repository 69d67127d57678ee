#pragma once

#include <memory>
#include <string_view>

#include "chat/output_parser.h"

namespace caravel::chat {

/// What a prompt of harmony's ends with where its answer is held to a grammar from the first token on: a grammar's text
/// has no marks, so the answer's header has to stand before it.
inline constexpr std::string_view kFinalHeader = "<|channel|>final<|message|>";

/// Whether the answers of a template are messages in channels, as gpt-oss writes them (harmony).
bool has_channels(std::string_view chat_template);

/// Takes such answers apart: reasoning, content and calls of `tools`, which may be none.
std::unique_ptr<OutputParser> make_harmony_parser(const Json& tools);

}  // namespace caravel::chat
