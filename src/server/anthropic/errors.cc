#include "server/anthropic/errors.h"

#include <string>
#include <string_view>
#include <utility>

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
  Json said = {{"type", error_type(error)}, {"message", message}};
  // By this the package's threads, over which its tool runner goes unless it is told not to, know that they must send
  // the whole conversation from here on.
  if (error.param == "thread" && error.code == "unsupported_parameter") {
    said["details"] = {{"error_code", "thread_unsupported_request"}, {"unsupported", {"thread"}}};
  }
  return {{"type", "error"}, {"error", std::move(said)}};
}

http::Response error_response(const std::exception& error) {
  http::Response response = server::error_response(error);
  response.body = to_text(error_json(as_api_error(error)));
  return response;
}

}  // namespace caravel::server::anthropic
