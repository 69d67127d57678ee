#include "server/endpoint/api_error.h"

#include "base/utf8.h"
#include "caravel/engine.h"
#include "fields/fields.h"
#include "server/endpoint/json_response.h"

namespace caravel::server {
namespace {

constexpr const char* kInvalidRequest = "invalid_request_error";

constexpr size_t kMostMessage = 2000;
constexpr size_t kMostName = 300;

/// Whole characters of well-formed UTF-8, `most` bytes of them.
std::string beginning(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && is_continuation(text[most])) --most;
  return text.substr(0, most) + "...";
}

Json or_null(const std::optional<std::string>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

ApiError::ApiError(int http_status, std::string error_type, const std::string& message,
                   const std::optional<std::string>& about, std::optional<std::string> error_code)
    : Error(beginning(message, kMostMessage)),
      status(http_status),
      type(std::move(error_type)),
      param(about ? std::optional(beginning(*about, kMostName)) : std::nullopt),
      code(std::move(error_code)) {}

ApiError as_api_error(const std::exception& error) {
  if (const auto* api = dynamic_cast<const ApiError*>(&error)) return *api;
  if (const auto* field = dynamic_cast<const FieldError*>(&error)) {
    return {400, kInvalidRequest, field->what(), field->path.empty() ? std::nullopt : std::optional(field->path),
            field->code};
  }
  if (const auto* field = dynamic_cast<const InvalidField*>(&error)) {
    return {400, kInvalidRequest, field->what(), field->field, "invalid_value"};
  }
  if (dynamic_cast<const Busy*>(&error) != nullptr) {
    return {429, "rate_limit_error", error.what(), std::nullopt, "rate_limit_exceeded"};
  }
  if (dynamic_cast<const InvalidArgument*>(&error) != nullptr ||
      dynamic_cast<const CapacityError*>(&error) != nullptr || dynamic_cast<const Unsupported*>(&error) != nullptr ||
      dynamic_cast<const FormatError*>(&error) != nullptr) {
    return {400, kInvalidRequest, error.what()};
  }
  return {500, "server_error", "The server had an error while processing your request."};
}

std::string error_body(const ApiError& error) {
  return to_text({{"error",
                   {{"message", error.what()},
                    {"type", error.type},
                    {"param", or_null(error.param)},
                    {"code", or_null(error.code)}}}});
}

http::Response error_response(const std::exception& error) {
  const ApiError api = as_api_error(error);
  http::Response response = json_response(error_body(api), api.status);
  if (api.status == 429) response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace caravel::server
