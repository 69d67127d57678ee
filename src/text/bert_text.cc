#include "text/bert_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "base/interrupt.h"
#include "base/unicode_classes.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

#include "text/unicode_8_tables.inc"

/// `tokenizers`' list, in which the gap before the seventh block is its own.
constexpr CodePointRange kChinese[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},  {0x20000, 0x2A6DF},
                                       {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};

/// Capital letters that utf8proc 2.8 (Unicode 15) does not know, and how far away their small ones are.
struct NewCapitals {
  CodePointRange range;
  int step;  // every so many is one
  int32_t distance;
};
constexpr NewCapitals kNewCapitals[] = {{{0x1C89, 0x1C89}, 1, 1},    {{0xA7CB, 0xA7CB}, 1, 0x264 - 0xA7CB},
                                        {{0xA7CC, 0xA7CE}, 2, 1},    {{0xA7D2, 0xA7D4}, 2, 1},
                                        {{0xA7DA, 0xA7DA}, 1, 1},    {{0xA7DC, 0xA7DC}, 1, 0x19B - 0xA7DC},
                                        {{0x10D50, 0x10D65}, 1, 32}, {{0x16EA0, 0x16EB8}, 1, 27}};

/// What has a decomposition since Unicode 13.
constexpr CodePointRange kNewDecompositions[] = {{0x105C9, 0x105C9}, {0x105E4, 0x105E4}, {0x11383, 0x11383},
                                                 {0x11385, 0x11385}, {0x1138E, 0x1138E}, {0x11391, 0x11391},
                                                 {0x113C5, 0x113C5}, {0x113C7, 0x113C8}, {0x11938, 0x11938},
                                                 {0x16121, 0x16128}, {0x16D68, 0x16D6A}};

template <size_t kCount>
bool in(const CodePointRange (&ranges)[kCount], char32_t c) {
  const auto* const after = std::ranges::upper_bound(ranges, c, {}, &CodePointRange::first);
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

bool is_ascii_sign(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool is_punctuation(char32_t c) { return c < 0x80 ? is_ascii_sign(c) : in(kPunctuation8, c); }

/// Control characters; tabs and line ends are white space.
bool goes(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0xFFFD || in(kOther8, c);
}

void append_lower(char32_t c, std::string& out) {
  for (const NewCapitals& capitals : kNewCapitals) {
    const auto [first, last] = capitals.range;
    if (c < first || c > last || (c - first) % static_cast<char32_t>(capitals.step) != 0) continue;
    return append_utf8(static_cast<char32_t>(static_cast<int32_t>(c) + capitals.distance), out);
  }
  if (c == 0x130) {
    out += "i\xCC\x87";  // the one letter that becomes two
    return;
  }
  append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))), out);
}

template <typename Each>
std::string each_character(std::string_view text, const Each& each) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t i = 0; i < text.size();) {
    const size_t length = char_length(text[i]);
    const std::string_view character = text.substr(i, length);
    each(length == 1 ? static_cast<char32_t>(text[i]) : first_char(character), character, out);
    i += length;
  }
  return out;
}

std::string cleaned(std::string_view text) {
  return each_character(text, [](char32_t c, std::string_view character, std::string& out) {
    if (goes(c)) return;
    if (is_white_space(c)) {
      out += ' ';
    } else {
      out += character;
    }
  });
}

std::string chinese_parted(std::string_view text) {
  return each_character(text, [](char32_t c, std::string_view character, std::string& out) {
    const bool is_word = c >= kChinese[0].first && in(kChinese, c);
    if (is_word) out += ' ';
    out += character;
    if (is_word) out += ' ';
  });
}

/// Canonically decomposed, but for what `tokenizers` does not know to be composed.
std::string decomposed(std::string_view text) {
  std::string out;
  size_t begin = 0;  // of what is not in `out` yet
  for (size_t i = 0; i < text.size(); i += char_length(text[i])) {
    if (char_length(text[i]) < 4 || !in(kNewDecompositions, first_char(text.substr(i)))) continue;
    out += normalize(text.substr(begin, i - begin), TokenizerData::Normalization::kNfd);
    begin = i + char_length(text[i]);
    out += text.substr(i, begin - i);
  }
  return out + normalize(text.substr(begin), TokenizerData::Normalization::kNfd);
}

std::string without_accents(std::string_view text) {
  return each_character(decomposed(text), [](char32_t c, std::string_view character, std::string& out) {
    if (c < kNonspacing8[0].first || !in(kNonspacing8, c)) out += character;
  });
}

std::string lowered(std::string_view text) {
  return each_character(text, [](char32_t c, std::string_view character, std::string& out) {
    if (c >= 0x80) return append_lower(c, out);
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : character[0];
  });
}

}  // namespace

std::string bert_cleaned(std::string_view text, const TokenizerData::BertCleaning& how) {
  check_interrupt();
  std::string out(text);
  const bool is_ascii = ascii_prefix(text) == text.size();
  if (how.cleans_text) out = cleaned(out);
  if (how.parts_chinese && !is_ascii) out = chinese_parted(out);
  if (how.strips_accents && !is_ascii) out = without_accents(out);
  if (how.lowercases) out = lowered(out);
  return out;
}

void for_each_bert_word(std::string_view text, const std::function<void(size_t begin, size_t end)>& word) {
  size_t begin = 0;  // of the word that goes on
  const auto end_word = [&](size_t end) {
    if (end > begin) word(begin, end);
  };
  for (size_t i = 0; i < text.size();) {
    const size_t length = char_length(text[i]);
    const char32_t c = length == 1 ? static_cast<char32_t>(text[i]) : first_char(text.substr(i));
    const bool is_space = is_white_space(c);
    if (is_space || is_punctuation(c)) {
      end_word(i);
      if (!is_space) word(i, i + length);
      begin = i + length;
    }
    i += length;
  }
  end_word(text.size());
}

}  // namespace caravel::text
