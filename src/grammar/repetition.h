#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "grammar/expr.h"

namespace caravel::grammar {

inline constexpr int kMaxRepetition = 100'000;

struct Repetition {
  int min;
  int max;
};

/// `{m}`, `{m,}` or `{m,n}` at `place`, which moves behind it; nothing, and no move, for anything else. Throws
/// InvalidArgument (n below m), Unsupported (more than kMaxRepetition).
inline std::optional<Repetition> parse_braces(std::string_view text, size_t& place) {
  size_t at = place;
  const auto number = [&]() -> std::optional<int> {
    const size_t begin = at;
    int value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      if (value <= kMaxRepetition) value = value * 10 + (text[at] - '0');
      ++at;
    }
    if (at == begin) return std::nullopt;
    if (value > kMaxRepetition) {
      throw fail<Unsupported>("a repetition of {} times; at most {}", text.substr(begin, at - begin), kMaxRepetition);
    }
    return value;
  };
  const auto take = [&](char c) { return at < text.size() && text[at] == c && ++at > 0; };
  if (!take('{')) return std::nullopt;
  const std::optional<int> min = number();
  if (!min) return std::nullopt;
  Repetition repetition{*min, *min};
  if (take(',')) repetition.max = number().value_or(kUnbounded);
  if (!take('}')) return std::nullopt;
  if (repetition.max != kUnbounded && repetition.max < repetition.min) {
    throw fail<InvalidArgument>("the repetition {} ends before it begins", text.substr(place, at - place));
  }
  place = at;
  return repetition;
}

}  // namespace caravel::grammar
