#pragma once

#include <exception>

#include "fields/json.h"
#include "server/endpoint/api_error.h"

namespace caravel::server::anthropic {

/// {"type": "error", "error": {"type", "message"}}, with Anthropic's types. A field is named in the message. A refused
/// `thread` has the "details" that its clients look for.
Json error_json(const ApiError& error);

/// The response for what an endpoint threw, by as_api_error().
http::Response error_response(const std::exception& error);

}  // namespace caravel::server::anthropic
