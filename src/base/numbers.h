#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace caravel {

/// The number that the whole text spells, as std::from_chars reads it (no spaces, no '+', a '-' only for signed types);
/// nothing where the text is anything else or T cannot hold the number.
template <std::integral T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// -1: no hexadecimal digit.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Decimal digits, a fraction, an exponent; also "inf" and "nan", as std::from_chars.
template <std::floating_point T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace caravel
