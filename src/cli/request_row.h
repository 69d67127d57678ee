#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "caravel/engine.h"
#include "caravel/request.h"

namespace caravel::cli {

/// A completion or chat request in OpenAI's field names as an engine's Request. Fields that are absent keep `defaults`.
/// Throws Error: a field that is unknown or of the wrong type, named; both or neither of prompt and messages.
Request parse_request(const nlohmann::ordered_json& row, const SamplingParams& defaults, const Engine& engine);

/// Chat messages rendered by the model's own template. Throws InvalidArgument where the model has none.
Request chat_request(const Engine& engine, const nlohmann::ordered_json& messages, const SamplingParams& sampling,
                     const nlohmann::ordered_json& tools = nullptr,
                     const nlohmann::ordered_json& kwargs = nlohmann::ordered_json::object());

/// {"id","index","text","token_ids","finish_reason","logprobs","usage"} of one completion, and prompt_logprobs where
/// asked.
nlohmann::ordered_json completion_json(const Result& result, const Completion& completion, const Engine& engine);

/// {"token","token_id","logprob","rank","top_logprobs":[...]} of each.
nlohmann::ordered_json logprobs_json(const std::vector<TokenLogprob>& logprobs, const Engine& engine);

/// A token's bytes as text that JSON can hold; bytes that are not UTF-8 become U+FFFD.
std::string token_text(const Engine& engine, int32_t token);

/// One line of JSON; never throws for text that is not UTF-8.
std::string to_line(const nlohmann::ordered_json& value);

}  // namespace caravel::cli
