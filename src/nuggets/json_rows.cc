#include "nuggets/json_rows.h"

#include <algorithm>

namespace caravel::nuggets {
namespace {

constexpr std::string_view kWhite = " \t\r\n";
constexpr size_t kMaxKeyBytes = 200;

size_t skip_white(std::string_view text, size_t place) {
  return std::min(text.find_first_not_of(kWhite, place), text.size());
}

/// Behind the quote that closes the text that begins at `begin`; nothing where a line or all ends before it.
std::optional<size_t> end_of_text(std::string_view text, size_t begin) {
  for (size_t place = begin + 1; place < text.size(); ++place) {
    const char c = text[place];
    if (c == '"') return place + 1;
    if (c == '\n') return std::nullopt;
    if (c == '\\') ++place;
  }
  return std::nullopt;
}

}  // namespace

JsonRows::JsonRows(std::string_view text)
    : text_(text), place_(skip_white(text, 0)), lines_(text), budget_(text.size()) {
  if (place_ == text_.size()) return;
  if (text_[place_] == '[') {
    layout_ = Layout::kArray;
    remember_row_start(text_.find('{', ++place_));
    return;
  }
  const size_t line_end = std::min(text_.find('\n', place_), text_.size());
  const std::optional<size_t> end = end_of_object(place_);
  const bool is_opened = skip_white(text_, place_ + 1) >= line_end;  // the bracket alone stands on the line
  if (end ? *end > line_end : is_opened) layout_ = Layout::kObjects;
  remember_row_start(place_);
}

std::optional<RowText> JsonRows::next() { return layout_ == Layout::kLines ? next_line() : next_object(); }

std::optional<RowText> JsonRows::next_line() {
  const size_t begin = place_ = skip_white(text_, place_);
  if (begin == text_.size()) return std::nullopt;
  place_ = std::min(text_.find('\n', begin), text_.size());
  RowText row{.begin = begin, .end = text_.find_last_not_of(kWhite, place_ - 1) + 1, .line = lines_.line_at(begin)};
  if (text_[begin] != '{') row.problem = "it is not a JSON object";
  return row;
}

std::optional<RowText> JsonRows::next_object() {
  const size_t begin = place_ = std::min(text_.find_first_not_of(" \t\r\n,", place_), text_.size());
  if (begin == text_.size()) return std::nullopt;
  RowText row{.begin = begin, .end = text_.size(), .line = lines_.line_at(begin)};
  if (is_array() && text_[begin] == ']') {
    place_ = text_.size();
    if (skip_white(text_, begin + 1) == text_.size()) return std::nullopt;
    row.problem = "what follows the array's end is not read";
    return row;
  }
  if (text_[begin] != '{') {
    row.end = next_row_start(begin);
    row.problem = "it is not a JSON object";
  } else if (const auto end = end_of_object(begin)) {
    row.end = *end;
  } else if (budget_.spend(scanned_)) {
    row.end = next_row_start(begin + 1);  // the reader of the row will say what is wrong with it
  } else {
    row.problem = kGivenUp;
  }
  place_ = row.end;
  return row;
}

void JsonRows::remember_row_start(size_t object) {
  if (object >= text_.size()) return;
  const size_t key = skip_white(text_, object + 1);
  if (key < text_.size() && text_[key] == '"') {
    const auto end = end_of_text(text_.substr(0, key + kMaxKeyBytes), key);
    if (end) first_key_ = text_.substr(key, *end - key);
  }
  const size_t line = object == 0 ? 0 : text_.rfind('\n', object - 1) + 1;
  indentation_ = text_.substr(line, object - line);
  own_line_ = indentation_.find_first_not_of(kWhite) == std::string_view::npos;
}

bool JsonRows::starts_row(size_t place) const {
  if (own_line_) {
    const size_t indented = indentation_.size();
    if (place < indented + 1 || text_[place - indented - 1] != '\n') return false;
    if (text_.substr(place - indented, indented) != indentation_) return false;
  }
  return first_key_.empty() || text_.substr(skip_white(text_, place + 1)).starts_with(first_key_);
}

size_t JsonRows::next_row_start(size_t from) const {
  size_t place = text_.find('{', from);
  while (place != std::string_view::npos && !starts_row(place)) place = text_.find('{', place + 1);
  return std::min(place, text_.size());
}

std::optional<size_t> JsonRows::end_of_object(size_t begin) {
  std::string open;
  const size_t most = std::min(text_.size(), begin + kMaxRowBytes);
  for (size_t place = begin; place < most; ++place) {
    scanned_ = place - begin;
    switch (const char c = text_[place]) {
      case '"': {
        const auto end = end_of_text(text_.substr(0, most), place);
        if (!end) {
          scanned_ = std::min(text_.find('\n', place), most) - begin;
          return std::nullopt;
        }
        place = *end - 1;
        break;
      }
      case '{':
      case '[':
        if (open.size() == kMaxRowDepth) return std::nullopt;
        open += c;
        break;
      case '}':
      case ']':
        if (open.back() != (c == '}' ? '{' : '[')) return std::nullopt;
        open.pop_back();
        if (open.empty()) return place + 1;
        break;
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace caravel::nuggets
