#include "text/jinja/python_text.h"

#include <utf8proc.h>

#include "base/utf8.h"

namespace caravel::text::jinja {
namespace {

template <typename Map>
void append_mapped(std::string& out, std::string_view text, size_t offset, const CodePoint& at, const Map& map) {
  if (at.value < 0) {
    out += text[offset];
  } else {
    utf8_append(out, static_cast<uint32_t>(map(at.value)));
  }
}

void append_upper(std::string& out, std::string_view text, size_t offset, const CodePoint& at) {
  if (at.value == 0xDF) {  // ß is the one common letter whose upper case is two
    out += "SS";
  } else {
    append_mapped(out, text, offset, at, utf8proc_toupper);
  }
}

void append_lower(std::string& out, std::string_view text, size_t offset, const CodePoint& at) {
  append_mapped(out, text, offset, at, utf8proc_tolower);
}

template <typename Append>
std::string mapped(std::string_view text, const Append& append) {
  std::string out;
  out.reserve(text.size());
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint at = utf8_decode(text, offset);
    append(out, offset, at);
    offset += at.bytes;
  }
  return out;
}

utf8proc_category_t category(int32_t code_point) {
  return code_point < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(code_point);
}

bool is_stripped(std::string_view character, int32_t code_point, const std::string_view* chars) {
  if (chars == nullptr) return is_python_space(code_point);
  for (const std::string_view other : utf8_characters(*chars)) {
    if (other == character) return true;
  }
  return false;
}

}  // namespace

CodePoint utf8_decode(std::string_view text, size_t offset) {
  const Utf8Sequence s = next_utf8(text.substr(offset));
  return s.kind == Utf8Sequence::kCharacter ? CodePoint{static_cast<int32_t>(s.code_point), s.length}
                                            : CodePoint{-1, 1};
}

void utf8_append(std::string& out, uint32_t code_point) {
  const bool has_utf8 = utf8proc_codepoint_valid(static_cast<utf8proc_int32_t>(code_point));
  append_utf8(has_utf8 ? code_point : 0xFFFD, out);
}

int64_t utf8_length(std::string_view text) {
  int64_t length = 0;
  for (size_t offset = 0; offset < text.size(); offset += utf8_decode(text, offset).bytes) ++length;
  return length;
}

std::vector<std::string_view> utf8_characters(std::string_view text) {
  std::vector<std::string_view> characters;
  for (size_t offset = 0; offset < text.size();) {
    const size_t bytes = utf8_decode(text, offset).bytes;
    characters.push_back(text.substr(offset, bytes));
    offset += bytes;
  }
  return characters;
}

bool is_python_space(int32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  return c == 0x85 || category(c) == UTF8PROC_CATEGORY_ZS || c == 0x2028 || c == 0x2029;
}

bool is_upper(int32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
bool is_lower(int32_t c) { return category(c) == UTF8PROC_CATEGORY_LL; }
bool is_cased(int32_t c) { return is_upper(c) || is_lower(c) || category(c) == UTF8PROC_CATEGORY_LT; }

bool is_alpha(int32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_digit(int32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

bool is_word(int32_t c) {
  const auto kind = category(c);
  return c == '_' || is_alpha(c) || kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
         kind == UTF8PROC_CATEGORY_NO;
}

bool is_printable(int32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    case UTF8PROC_CATEGORY_ZS:
      return c == ' ';
    default:
      return true;
  }
}

std::string to_upper(std::string_view text) {
  return mapped(text,
                [&](std::string& out, size_t offset, const CodePoint& at) { append_upper(out, text, offset, at); });
}

std::string to_lower(std::string_view text) {
  return mapped(text,
                [&](std::string& out, size_t offset, const CodePoint& at) { append_lower(out, text, offset, at); });
}

std::string capitalize(std::string_view text) {
  return mapped(text, [&](std::string& out, size_t offset, const CodePoint& at) {
    if (offset == 0) {
      append_mapped(out, text, offset, at, utf8proc_totitle);
    } else {
      append_lower(out, text, offset, at);
    }
  });
}

std::string title_case(std::string_view text) {
  bool inside = false;
  return mapped(text, [&](std::string& out, size_t offset, const CodePoint& at) {
    if (inside) {
      append_lower(out, text, offset, at);
    } else {
      append_mapped(out, text, offset, at, utf8proc_totitle);
    }
    inside = is_cased(at.value);
  });
}

std::string_view strip(std::string_view text, const std::string_view* chars, bool left, bool right) {
  while (left && !text.empty()) {
    const CodePoint at = utf8_decode(text, 0);
    if (!is_stripped(text.substr(0, at.bytes), at.value, chars)) break;
    text.remove_prefix(at.bytes);
  }
  while (right && !text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && is_continuation(text[start])) --start;
    CodePoint at = utf8_decode(text, start);
    if (start + at.bytes != text.size()) {
      start = text.size() - 1;
      at = {-1, 1};
    }
    if (!is_stripped(text.substr(start), at.value, chars)) break;
    text = text.substr(0, start);
  }
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint at = utf8_decode(text, offset);
    const int32_t c = at.value;
    const bool ends = (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!ends) {
      offset += at.bytes;
      continue;
    }
    lines.push_back(text.substr(start, offset - start));
    offset += at.bytes;
    if (c == '\r' && offset < text.size() && text[offset] == '\n') ++offset;
    start = offset;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

}  // namespace caravel::text::jinja
