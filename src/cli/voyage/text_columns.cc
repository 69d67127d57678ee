#include "cli/voyage/text_columns.h"

#include <algorithm>

#include "base/utf8.h"

namespace caravel::cli {
namespace {

struct Range {
  char32_t first, last;
};

/// East Asian Width W and F (UAX 11), and emoji, coarsely.
constexpr Range kWide[] = {{0x1100, 0x115F},  {0x2E80, 0x303E},   {0x3041, 0x4DBF},   {0x4E00, 0xA4CF},
                           {0xAC00, 0xD7A3},  {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                           {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF},
                           {0x20000, 0x3FFFD}};
constexpr Range kNoWidth[] = {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},
                              {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
/// Control characters, and what changes the order in which others are shown.
constexpr Range kRefused[] = {{0, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};

template <size_t kCount>
bool is_in(const Range (&ranges)[kCount], char32_t c) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return range.first <= c && c <= range.last; });
}

struct Shown {
  std::string_view text;
  size_t columns;
};

/// What is shown of the first character, which is taken off.
Shown take_character(std::string_view& text) {
  const Utf8Sequence next = next_utf8(text);
  const Shown shown{text.substr(0, next.length), is_in(kWide, next.code_point)      ? size_t{2}
                                                 : is_in(kNoWidth, next.code_point) ? size_t{0}
                                                                                    : size_t{1}};
  text.remove_prefix(next.length);
  if (shown.text == "\t") return {"  ", 2};
  if (next.kind != Utf8Sequence::kCharacter || is_in(kRefused, next.code_point)) return {"?", 1};
  return shown;
}

/// One line without breaks.
void wrap_line(std::string_view text, size_t columns, std::vector<std::string>& lines) {
  std::string line;
  size_t used = 0;
  size_t space = 0;  // bytes of the line before its last space; 0: it has none
  while (!text.empty()) {
    const Shown shown = take_character(text);
    if (used + shown.columns > columns) {
      const std::string rest = space > 0 ? line.substr(space + 1) : "";
      if (space > 0) line.resize(space);
      lines.push_back(line);
      line = rest;
      space = 0;
      used = 0;
      for (std::string_view left = line; !left.empty();) used += take_character(left).columns;
    }
    if (shown.text == " " && used > 0) space = line.size();
    line += shown.text;
    used += shown.columns;
  }
  lines.push_back(line);
}

}  // namespace

std::string in_columns(std::string_view text, size_t columns) {
  std::string line;
  size_t used = 0;
  size_t cut = 0;  // bytes in one column less, where an ellipsis has room
  size_t used_at_cut = 0;
  while (!text.empty()) {
    const Shown shown = take_character(text);
    if (used + shown.columns > columns) {
      line.resize(cut);
      line += columns > 0 ? "…" : "";
      used = used_at_cut + (columns > 0 ? 1 : 0);
      break;
    }
    line += shown.text;
    used += shown.columns;
    if (used + 1 <= columns) {
      cut = line.size();
      used_at_cut = used;
    }
  }
  return line + std::string(columns - used, ' ');
}

std::vector<std::string> wrapped_lines(std::string_view text, size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    wrap_line(line, std::max<size_t>(columns, 2), lines);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace caravel::cli
