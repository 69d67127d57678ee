#include "server/anthropic/errors.h"

#include <string>
#include <string_view>

namespace caravel::server::anthropic {
namespace {

std::string_view error_type(const ApiError& error) {
  switch (error.status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return error.status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

Json error_json(const ApiError& error) {
  const std::string message = error.param ? *error.param + ": " + error.what() : error.what();
  return {{"type", "error"}, {"error", {{"type", error_type(error)}, {"message", message}}}};
}

http::Response error_response(const std::exception& error) {
  http::Response response = server::error_response(error);
  response.body = to_text(error_json(as_api_error(error)));
  return response;
}

}  // namespace caravel::server::anthropic
