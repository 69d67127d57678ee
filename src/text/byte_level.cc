#include "text/byte_level.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/utf8.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

constexpr int kAlphabetEnd = 0x144;  // the highest character of the alphabet is U+0143

// Printable bytes of Latin-1 stand for themselves, the others come in order from U+0100 on. -1: not in the alphabet.
constexpr std::array<int16_t, kAlphabetEnd> make_alphabet() {
  std::array<int16_t, kAlphabetEnd> bytes{};
  bytes.fill(-1);
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    bytes[static_cast<size_t>(printable ? byte : next++)] = static_cast<int16_t>(byte);
  }
  return bytes;
}
constexpr auto kAlphabet = make_alphabet();

}  // namespace

std::optional<std::string> byte_level_bytes(std::string_view stored) {
  if (!is_valid_utf8(stored)) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < stored.size(); i += char_length(stored[i])) {
    const char32_t c = first_char(stored.substr(i));
    if (c >= kAlphabetEnd || kAlphabet[c] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet[c]);
  }
  return bytes;
}

std::string byte_level_decode(std::string_view stored) {
  return byte_level_bytes(stored).value_or(std::string(stored));
}

std::string byte_level_character(uint8_t byte) {
  std::string character;
  append_utf8(static_cast<char32_t>(std::ranges::find(kAlphabet, int16_t{byte}) - kAlphabet.begin()), character);
  return character;
}

}  // namespace caravel::text
