#include "cli/openai_line.h"

#include <fmt/format.h>

#include <string_view>

namespace caravel::cli {
namespace {

constexpr std::string_view kIdPrefix = "caravel-";
constexpr size_t kDigestLength = 32;
constexpr int kOk = 200;

const Json& member(const Json& json, const char* name) {
  static const Json kNull;
  const auto found = json.is_object() ? json.find(name) : json.end();
  return found == json.end() ? kNull : *found;
}

/// Of a text, or of {"message"}.
std::string message_of(const Json& error) {
  const Json& message = error.is_string() ? error : member(error, "message");
  return message.is_string() ? message.get<std::string>() : to_text(error);
}

}  // namespace

std::string openai_line(const BatchRow& row, int status, const std::string& body) {
  Json error;
  if (status != kOk) {
    const Json answer = parse_json(body);
    const Json& told = member(answer, "error");
    error = {{"code", member(told, "code")}, {"message", message_of(told)}};
  }
  // The body as it is: it may be megabytes of log-probabilities.
  return fmt::format(
      R"({{"id":"{}{}","custom_id":{},"response":{{"status_code":{},"request_id":"{}batch-{}","body":{}}},"error":{}}})"
      "\n",
      kIdPrefix, row.digest, to_text(row.id), status, kIdPrefix, row.digest, body, to_text(error));
}

std::string openai_digest(const std::string& id) {
  if (!id.starts_with(kIdPrefix) || id.size() != kIdPrefix.size() + kDigestLength) return "";
  return id.substr(kIdPrefix.size());
}

std::optional<std::string> openai_error(const Json& result) {
  const Json& response = member(result, "response");
  const Json& error = member(result, "error");
  if (!error.is_null()) return message_of(member(error, "error").is_null() ? error : member(error, "error"));
  if (response.is_null()) return "there is no response";
  if (member(response, "status_code") == kOk) return std::nullopt;
  return message_of(member(member(response, "body"), "error"));
}

}  // namespace caravel::cli
