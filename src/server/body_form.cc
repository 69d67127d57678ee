#include "server/body_form.h"

#include <fmt/format.h>

#include <string_view>

#include "http/text.h"

namespace caravel::server {
namespace {

constexpr const char* kWanted = "Send the body as JSON in UTF-8, with the header Content-Type: application/json";

/// What stands before the next `mark`, or all, trimmed; `text` keeps what follows.
std::string_view take_until(std::string_view& text, char mark) {
  const size_t end = text.find(mark);
  const std::string_view part = http::trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool is_utf8(std::string_view charset) {
  if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"') {
    charset = charset.substr(1, charset.size() - 2);
  }
  return http::equal_without_case(charset, "utf-8") || http::equal_without_case(charset, "utf8");
}

bool is_json_in_utf8(std::string_view type) {
  if (!http::equal_without_case(take_until(type, ';'), "application/json")) return false;
  while (!type.empty()) {
    std::string_view parameter = take_until(type, ';');
    if (http::equal_without_case(take_until(parameter, '='), "charset") && !is_utf8(http::trimmed(parameter))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string wrong_body_form(const http::Headers& headers) {
  for (const auto& [name, value] : headers.fields()) {
    const std::string_view text = http::trimmed(value);
    if (text.empty()) continue;
    if (http::equal_without_case(name, "Content-Type") && !is_json_in_utf8(text)) {
      return fmt::format("Content-Type '{}' is not taken here. {}.", text, kWanted);
    }
    if (http::equal_without_case(name, "Content-Encoding") && !http::equal_without_case(text, "identity")) {
      return fmt::format("Content-Encoding '{}' is not taken here. {}, and not compressed.", text, kWanted);
    }
  }
  return {};
}

}  // namespace caravel::server
