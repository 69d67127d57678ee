#include "fields/openai_replies.h"

#include "base/printable.h"
#include "fields/json.h"

namespace caravel {
namespace {

constexpr size_t kShownOfAnError = 300;  // bytes

/// "/v1", "/api/v4": a segment that is a version.
bool names_version(std::string_view path) {
  for (size_t at = path.find("/v"); at != path.npos; at = path.find("/v", at + 1)) {
    if (at + 2 < path.size() && path[at + 2] >= '0' && path[at + 2] <= '9') return true;
  }
  return false;
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string api_path(std::string_view path_of_address, std::string_view endpoint) {
  return (names_version(path_of_address) ? "/" : "/v1/") + std::string(endpoint);
}

std::string error_message(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  std::string message = text_at(json, "error");
  if (message.empty() && json.is_object() && json.contains("error")) message = text_at(json["error"], "message");
  for (const char* const key : {"message", "detail"}) {
    if (message.empty()) message = text_at(json, key);
  }
  if (message.empty()) message = body;
  for (char& c : message) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return printable(message, kShownOfAnError);
}

std::string first_model(const std::string& body) {
  const Json models = Json::parse(body, nullptr, false);
  const Json::json_pointer first("/data/0");
  return models.is_object() && models.contains(first) ? text_at(models[first], "id") : std::string();
}

}  // namespace caravel
