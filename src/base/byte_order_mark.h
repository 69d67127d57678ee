#pragma once

#include <string_view>

namespace caravel {

/// The text behind the mark that Windows' programs begin files of UTF-8 with; all of it where there is none.
inline std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace caravel
