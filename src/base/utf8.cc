#include "base/utf8.h"

#include <cstring>

namespace caravel {
namespace {

// How many bytes at the front are well-formed characters.
size_t valid_prefix(std::string_view text) {
  size_t i = ascii_prefix(text);
  while (i < text.size()) {
    const Utf8Sequence s = next_utf8(text.substr(i));
    if (s.kind != Utf8Sequence::kCharacter) break;
    i += s.length;
    if (s.length == 1) i += ascii_prefix(text.substr(i));
  }
  return i;
}

}  // namespace

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

Utf8Sequence next_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {Utf8Sequence::kCharacter, 1, lead};
  if (lead < 0xC2 || lead > 0xF4) return {Utf8Sequence::kBroken, 1, 0};
  const size_t length = char_length(text[0]);
  // The second byte's range depends on the first, the others are 80..BF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  char32_t code_point = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8Sequence::kCut, i, 0};
    const bool good = i == 1 ? byte(i) >= low && byte(i) <= high : is_continuation(text[i]);
    if (!good) return {Utf8Sequence::kBroken, i, 0};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  return {Utf8Sequence::kCharacter, length, code_point};
}

bool is_valid_utf8(std::string_view text) { return valid_prefix(text) == text.size(); }

size_t append_complete_utf8(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const size_t valid = valid_prefix(bytes);
    out.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    const Utf8Sequence s = next_utf8(bytes);
    if (s.kind == Utf8Sequence::kCut) return s.length;
    out.append(kReplacement);
    bytes.remove_prefix(s.length);
  }
  return 0;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xF00u >> (more + 1) & 0xFFu) | c >> (6 * more));
  for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) out += static_cast<char>(0x80u | (c >> shift & 0x3Fu));
}

}  // namespace caravel
