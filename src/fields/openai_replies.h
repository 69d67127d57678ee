#pragma once

#include <string>
#include <string_view>

namespace caravel {

// What an OpenAI-compatible server is asked at, and says where an answer is none, as its clients need it.

/// The path of an endpoint, "models": behind what an address has, "/v1" where that names no version ("/api/v4").
std::string api_path(std::string_view path_of_address, std::string_view endpoint);

/// What it says in {"error": {"message"}} or its like, else the beginning of the body, in one line.
std::string error_message(const std::string& body);

/// The id of the first of /v1/models. Empty: it names none.
std::string first_model(const std::string& body);

}  // namespace caravel
