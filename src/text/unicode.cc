#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/unicode_classes.h"
#include "base/utf8.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

char32_t first_char(std::string_view text) {
  const Utf8Sequence s = next_utf8(text);
  CARAVEL_CHECK(s.kind == Utf8Sequence::kCharacter);
  return s.code_point;
}

char32_t last_char(std::string_view text) {
  size_t i = text.size() - 1;
  while (is_continuation(text[i])) --i;
  return first_char(text.substr(i));
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word_char(char32_t c) {
  using enum GeneralCategory;
  const GeneralCategory category = category_of(c);
  return category <= kNl || category == kPc;  // letters and marks come first in the list
}

std::string normalize(std::string_view text, TokenizerData::Normalization form) {
  if (form == TokenizerData::Normalization::kNone || ascii_prefix(text) == text.size()) return std::string(text);
  const bool composes = form != TokenizerData::Normalization::kNfd;
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (form == TokenizerData::Normalization::kNfkc) options = static_cast<utf8proc_option_t>(options | UTF8PROC_COMPAT);
  const auto decompose = static_cast<utf8proc_option_t>((options & ~UTF8PROC_COMPOSE) | UTF8PROC_DECOMPOSE);

  std::vector<utf8proc_int32_t> chars;
  chars.reserve(text.size());
  constexpr int kLongest = 18;  // U+FDFA has the longest decomposition of all, 18 characters
  int boundary_class = 0;
  for (size_t i = 0; i < text.size(); i += char_length(text[i])) {
    const auto c = static_cast<utf8proc_int32_t>(first_char(text.substr(i)));
    const size_t size = chars.size();
    chars.resize(size + kLongest);
    const auto added = utf8proc_decompose_char(c, chars.data() + size, kLongest, decompose, &boundary_class);
    CARAVEL_CHECK(added >= 0 && added <= kLongest);
    chars.resize(size + static_cast<size_t>(added));
  }

  // utf8proc's own ordering of combining marks is quadratic in the length of a run.
  const auto combining = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
  for (auto begin = chars.begin(); begin != chars.end();) {
    begin = std::find_if(begin, chars.end(), [&](auto c) { return combining(c) != 0; });
    const auto end = std::find_if(begin, chars.end(), [&](auto c) { return combining(c) == 0; });
    std::stable_sort(begin, end, [&](auto a, auto b) { return combining(a) < combining(b); });
    begin = end;
  }
  auto length = static_cast<utf8proc_ssize_t>(chars.size());
  if (composes) length = utf8proc_normalize_utf32(chars.data(), length, options);
  CARAVEL_CHECK_GE(length, 0);

  std::string out;
  out.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < length; ++i) append_utf8(static_cast<char32_t>(chars[static_cast<size_t>(i)]), out);
  return out;
}

}  // namespace caravel::text
