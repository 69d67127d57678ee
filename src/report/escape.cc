#include "report/escape.h"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.h"

namespace caravel::report {
namespace {

bool is_forbidden(char32_t c) { return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0); }

}  // namespace

std::string escape_html(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Utf8Sequence next = next_utf8(text);
    if (next.kind != Utf8Sequence::kCharacter || is_forbidden(next.code_point)) {
      safe += kReplacement;
    } else if (std::string_view("&<>\"'").find(text.front()) != std::string_view::npos) {
      fmt::format_to(std::back_inserter(safe), "&#{};", static_cast<int>(text.front()));
    } else {
      safe += text.substr(0, next.length);
    }
    text.remove_prefix(next.length);
  }
  return safe;
}

std::string script_json(const nlohmann::json& json) {
  const std::string plain = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string safe;
  safe.reserve(plain.size());
  for (const char c : plain) {
    if (c == '<' || c == '>' || c == '&') {
      fmt::format_to(std::back_inserter(safe), "\\u{:04x}", static_cast<int>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace caravel::report
