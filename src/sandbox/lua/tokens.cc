#include "sandbox/lua/tokens.h"

#include <algorithm>
#include <array>
#include <string>

namespace caravel::sandbox::lua {
namespace {

constexpr std::array<std::string_view, 22> kKeywords = {
    "and", "break", "do",  "else", "elseif", "end",    "false",  "for",  "function", "goto",  "if",
    "in",  "local", "nil", "not",  "or",     "repeat", "return", "then", "true",     "until", "while"};

bool is_letter(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_in_name(char c) { return is_letter(c) || is_digit(c); }

/// How many bytes `[[...]]` or `[=[...]=]` at the front takes, to the end of the text where it is not closed; 0: that
/// is no long bracket.
size_t long_bracket(std::string_view text) {
  const size_t level = text.substr(0, 1) == "[" ? text.find_first_not_of('=', 1) : std::string_view::npos;
  if (level == std::string_view::npos || text[level] != '[') return 0;
  std::string close(level + 1, '=');
  close.front() = close.back() = ']';
  const size_t end = text.find(close, level + 1);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

/// "..." or '...', to the end of the line where it is not closed.
size_t short_string(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && text[end] != text[0] && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

/// Two hyphens and what follows.
size_t comment(std::string_view text) {
  if (const size_t length = long_bracket(text.substr(2)); length > 0) return 2 + length;
  return std::min(text.find('\n'), text.size());
}

/// Digits, letters of all bases and exponents with their signs, points.
size_t number(std::string_view text) {
  const bool is_hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
  const std::string_view exponents = is_hex ? "pP" : "eE";
  size_t end = 1;
  while (end < text.size()) {
    const bool is_sign =
        (text[end] == '+' || text[end] == '-') && exponents.find(text[end - 1]) != std::string_view::npos;
    if (!is_in_name(text[end]) && text[end] != '.' && !is_sign) break;
    ++end;
  }
  return end;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view code) {
  std::vector<Token> tokens;
  while (!code.empty()) {
    const char c = code.front();
    size_t length = 1;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
    } else if (code.starts_with("--")) {
      length = comment(code);
    } else if (is_letter(c)) {
      length = static_cast<size_t>(std::ranges::find_if_not(code, is_in_name) - code.begin());
      const std::string_view text = code.substr(0, length);
      const bool is_keyword = std::ranges::binary_search(kKeywords, text);
      tokens.push_back({is_keyword ? Token::Kind::kKeyword : Token::Kind::kName, text});
    } else if (is_digit(c) || (c == '.' && code.size() > 1 && is_digit(code[1]))) {
      length = number(code);
      tokens.push_back({Token::Kind::kNumber, code.substr(0, length)});
    } else if (c == '"' || c == '\'') {
      length = short_string(code);
      tokens.push_back({Token::Kind::kString, code.substr(0, 1)});
    } else if (const size_t bracket = long_bracket(code); bracket > 0) {
      length = bracket;
      tokens.push_back({Token::Kind::kString, code.substr(0, 1)});
    } else {
      if (c == '.') length = std::min({code.find_first_not_of('.'), code.size(), size_t{3}});
      tokens.push_back({Token::Kind::kSign, code.substr(0, length)});
    }
    code.remove_prefix(length);
  }
  return tokens;
}

}  // namespace caravel::sandbox::lua
