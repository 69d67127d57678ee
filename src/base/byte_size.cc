#include "base/byte_size.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <string>

#include "base/numbers.h"

namespace caravel {

std::optional<int64_t> parse_byte_size(std::string_view text, int64_t unit) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_number<int64_t>(text.substr(0, digits));
  std::string name(text.substr(std::min(text.find_first_not_of(' ', digits), text.size())));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  std::optional<int64_t> scale;
  if (name.empty()) scale = unit;
  if (name == "b") scale = 1;
  constexpr std::string_view kUnits = "kmgtp";
  if (const size_t power = name.empty() ? std::string_view::npos : kUnits.find(name[0]);
      power != std::string_view::npos && (name.size() == 1 || name.substr(1) == "b" || name.substr(1) == "ib")) {
    scale = int64_t{1} << (10 * (power + 1));
  }
  if (!count || !scale || (*count != 0 && *scale > std::numeric_limits<int64_t>::max() / *count)) return std::nullopt;
  return *count * *scale;
}

}  // namespace caravel
