#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/output_parser.h"
#include "fields/json.h"

namespace caravel::chat {

/// How many letters and digits a model's template demands of a call's id (Mistral's: nine); 0: it takes any text.
size_t call_id_length(ToolFormat format, std::string_view chat_template);

/// A new id: of `length` letters and digits, or where that is 0 `prefix` ("call_", "toolu_") and 24 of them. Any
/// thread.
std::string make_call_id(std::string_view prefix, size_t length);

/// `length` letters and digits that depend on `text` alone.
std::string derived_call_id(std::string_view text, size_t length);

/// The messages with the ids of calls and results in the form that the template demands: those that have it stay, and
/// others (of other engines and APIs, in a history) become ids that depend on them alone, so that a result still names
/// its call and the same history is the same prompt. A call without an id gets its result's, by their order.
Json fit_call_ids(Json messages, size_t length);

}  // namespace caravel::chat
