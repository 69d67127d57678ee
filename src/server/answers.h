#pragma once

#include <string>

#include "http/http.h"
#include "server/openai/api_error.h"

namespace caravel::server {

/// 200 with a JSON body.
http::Response json_response(std::string body);

/// An error in the form that clients of `path` know: Anthropic's under /v1/messages, else OpenAI's.
http::Response error_answer(const std::string& path, const openai::ApiError& error);

}  // namespace caravel::server
