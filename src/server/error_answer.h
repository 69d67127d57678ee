#pragma once

#include <exception>
#include <string>

#include "http/http.h"

namespace caravel::server {

/// What went wrong, in the form that clients of `path` know: Anthropic's under /v1/messages, else OpenAI's.
http::Response error_answer(const std::string& path, const std::exception& error);

}  // namespace caravel::server
