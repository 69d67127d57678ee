#pragma once

#include <optional>
#include <string>

#include "cli/batch_input.h"
#include "fields/json.h"

namespace caravel::cli {

// A result as OpenAI's Batch API has it, one line each: {"id", "custom_id", "response": {"status_code", "request_id",
// "body"}, "error"}.

/// With its break. The id holds the row's digest. status: of HTTP; body: the endpoint's answer, as JSON. Of a refusal
/// OpenAI's files have the error in the body alone and vLLM's in "error" alone; here it is in both, as {"code",
/// "message"} in the latter, so that no reader takes it for an answer.
std::string openai_line(const BatchRow& row, int status, const std::string& body);

/// The digest that such an "id" holds; empty where another program made the id.
std::string openai_digest(const std::string& id);

/// Why a result, of this program or another, is none; nothing where it is an answer.
std::optional<std::string> openai_error(const Json& result);

}  // namespace caravel::cli
