#include "text/byte_level.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace caravel::text {
namespace {

constexpr int kAlphabetEnd = 0x144;      // the highest character of the alphabet is U+0143
constexpr size_t kLongestCharacter = 2;  // bytes

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
  std::string bytes;
  bytes.reserve(stored.size());
  while (!stored.empty()) {
    const Utf8Sequence next = next_utf8(stored);
    const bool is_character = next.kind == Utf8Sequence::kCharacter;
    if (!is_character || next.code_point >= kAlphabetEnd || kAlphabet[next.code_point] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet[next.code_point]);
    stored.remove_prefix(next.length);
  }
  return bytes;
}

std::optional<uint8_t> byte_level_byte(std::string_view stored) {
  if (stored.empty() || stored.size() > kLongestCharacter) return std::nullopt;
  const auto bytes = byte_level_bytes(stored);
  if (!bytes || bytes->size() != 1) return std::nullopt;
  return static_cast<uint8_t>(bytes->front());
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
