#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "http/http.h"

namespace caravel::server {

/// An error as OpenAI answers it: {"error": {"message", "type", "param", "code"}} with its status.
class ApiError : public Error {
 public:
  /// Names and values that a client sent stand in messages: of long ones the beginning is told.
  ApiError(int http_status, std::string error_type, const std::string& message,
           const std::optional<std::string>& about = std::nullopt,
           std::optional<std::string> error_code = std::nullopt);

  int status;
  std::string type;  // invalid_request_error, authentication_error, not_found_error, rate_limit_error, server_error
  std::optional<std::string> param;
  std::optional<std::string> code;
};

/// What an endpoint threw, as an ApiError: one as it is; Busy as 429; FieldError and InvalidField as 400 with param and
/// code; other
/// InvalidArgument, CapacityError, Unsupported and FormatError, which are about what a user sent, as 400; anything else
/// as 500 without its message.
ApiError as_api_error(const std::exception& error);

/// {"error": {...}}, as text.
std::string error_body(const ApiError& error);

/// The response for what an endpoint threw, by as_api_error(). 429 comes with Retry-After.
http::Response error_response(const std::exception& error);

}  // namespace caravel::server
