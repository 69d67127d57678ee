#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace caravel::nuggets {

/// Of a row, in bytes: far more than a model's context holds. A longer one is reported, so that what a row takes in
/// memory while it is read is bounded.
inline constexpr size_t kMaxRowBytes = size_t{8} << 20;

/// Where a row stands in a text.
struct RowText {
  size_t begin = 0;
  size_t end = 0;
  size_t line = 0;                // from 1
  const char* problem = nullptr;  // why it cannot be read
};

/// Counts lines, from 1, as a text is walked through.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  /// place: not before the last one that was asked for.
  size_t line_at(size_t place) {
    const auto begin = text_.begin();
    line_ += static_cast<size_t>(
        std::count(begin + static_cast<std::ptrdiff_t>(place_), begin + static_cast<std::ptrdiff_t>(place), '\n'));
    place_ = place;
    return line_;
  }

 private:
  std::string_view text_;
  size_t place_ = 0;
  size_t line_ = 1;
};

/// Where a search for a broken row's end goes over bytes that are read again behind the break. A hostile file makes it
/// do so for every row.
class RereadBudget {
 public:
  explicit RereadBudget(size_t text_bytes) : left_(64 * text_bytes + (size_t{64} << 20)) {}

  /// False: too much has been read again.
  bool spend(size_t bytes) {
    left_ -= std::min(left_, bytes);
    return left_ > 0;
  }

 private:
  size_t left_;  // bytes
};

inline constexpr const char* kGivenUp = "too much is broken to tell rows apart; nothing from here on is read";

}  // namespace caravel::nuggets
