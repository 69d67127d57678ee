#include "base/written_number.h"

#include <algorithm>

#include "base/numbers.h"

namespace caravel {
namespace {

/// 0.digits times ten to the exponent, of whatever form of writing.
struct Digits {
  std::string digits;  // without zeros at either end
  int64_t exponent = 0;
  bool operator==(const Digits&) const = default;
};

/// Nothing where the exponent is beyond 64 bits.
std::optional<Digits> digits_of(std::string_view text) {
  Digits result;
  if (text.starts_with('-')) text.remove_prefix(1);
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto exponent = parse_number<int32_t>(power);
    if (!exponent) return std::nullopt;
    result.exponent = *exponent;
    text = text.substr(0, e);
  }
  const size_t point = std::min(text.find('.'), text.size());
  result.exponent += static_cast<int64_t>(point);
  result.digits = text.substr(0, point);
  if (point < text.size()) result.digits += text.substr(point + 1);
  const size_t zeros = std::min(result.digits.find_first_not_of('0'), result.digits.size());
  result.digits.erase(0, zeros);
  result.exponent -= static_cast<int64_t>(zeros);
  result.digits.erase(result.digits.find_last_not_of('0') + 1);
  if (result.digits.empty()) result.exponent = 0;
  return result;
}

}  // namespace

bool is_written_integer(const nlohmann::ordered_json& value) {
  const auto is_digit = [](uint8_t c) { return c == '-' || (c >= '0' && c <= '9'); };
  return is_written_number(value) && std::ranges::all_of(value.get_binary(), is_digit);
}

double nearest_double(const nlohmann::ordered_json& value) {
  // Too small for a double alone: texts with numbers too large for one are not read.
  return parse_number<double>(written_text(value)).value_or(0);
}

nlohmann::ordered_json as_written(double nearest, std::string_view text) {
  constexpr size_t kFewDigits = 15;  // a double keeps them all
  const bool is_integer = text.find_first_not_of("-0123456789") == std::string_view::npos;
  if (is_integer) return written_number(text);
  if (text.size() <= kFewDigits && text.find_first_of("eE") == std::string_view::npos) return nearest;
  const auto written = digits_of(text);
  const bool same = written && written == digits_of(nlohmann::ordered_json(nearest).dump());
  return same ? nlohmann::ordered_json(nearest) : written_number(text);
}

}  // namespace caravel
