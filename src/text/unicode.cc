#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"

namespace caravel::text {
namespace {

// What the bytes at `text[0]` are: a character, the broken beginning of one, or one that the end of the text cuts.
struct Sequence {
  size_t length;  // bytes of the character or of the maximal subpart
  enum { kCharacter, kBroken, kCut } kind;
};

// Table 3-7 of the Unicode standard: the second byte's range depends on the first, the others are 80..BF.
Sequence next_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, Sequence::kCharacter};
  if (lead < 0xC2 || lead > 0xF4) return {1, Sequence::kBroken};
  const size_t length = char_length(text[0]);
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, Sequence::kCut};
    const bool good = i == 1 ? byte(i) >= low && byte(i) <= high : byte(i) >= 0x80 && byte(i) <= 0xBF;
    if (!good) return {i, Sequence::kBroken};
  }
  return {length, Sequence::kCharacter};
}

size_t ascii_prefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < text.size() && static_cast<uint8_t>(text[i]) < 0x80) ++i;
  return i;
}

// Bytes of well-formed characters at the front.
size_t valid_prefix(std::string_view text) {
  size_t i = ascii_prefix(text);
  while (i < text.size()) {
    const Sequence s = next_sequence(text.substr(i));
    if (s.kind != Sequence::kCharacter) break;
    i += s.length;
    if (s.length == 1) i += ascii_prefix(text.substr(i));
  }
  return i;
}

void append_char(char32_t c, std::string& out) {
  utf8proc_uint8_t buffer[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), buffer);
  out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(length));
}

}  // namespace

size_t append_complete_utf8(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const size_t valid = valid_prefix(bytes);
    out.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    const Sequence s = next_sequence(bytes);
    if (s.kind == Sequence::kCut) return s.length;
    out.append(kReplacement);
    bytes.remove_prefix(s.length);
  }
  return 0;
}

bool is_valid_utf8(std::string_view text) { return valid_prefix(text) == text.size(); }

char32_t first_char(std::string_view text) {
  utf8proc_int32_t c = 0;
  const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &c);
  CARAVEL_CHECK_GT(used, 0);
  return static_cast<char32_t>(c);
}

char32_t last_char(std::string_view text) {
  size_t i = text.size() - 1;
  while ((static_cast<uint8_t>(text[i]) & 0xC0) == 0x80) --i;
  return first_char(text.substr(i));
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word_char(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

std::string normalize(std::string_view text, TokenizerData::Normalization form) {
  if (form == TokenizerData::Normalization::kNone || ascii_prefix(text) == text.size()) return std::string(text);
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
  const auto length = utf8proc_normalize_utf32(chars.data(), static_cast<utf8proc_ssize_t>(chars.size()), options);
  CARAVEL_CHECK_GE(length, 0);

  std::string out;
  out.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < length; ++i) append_char(static_cast<char32_t>(chars[static_cast<size_t>(i)]), out);
  return out;
}

}  // namespace caravel::text
