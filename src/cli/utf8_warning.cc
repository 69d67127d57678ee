#include "cli/utf8_warning.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/utf8.h"

namespace caravel::cli {

void warn_of_broken_utf8(std::string_view text, std::string_view name) {
  size_t count = 0;
  size_t first = 0;
  for (size_t at = ascii_prefix(text); at < text.size(); at += ascii_prefix(text.substr(at))) {
    const Utf8Sequence next = next_utf8(text.substr(at));
    if (next.kind != Utf8Sequence::kCharacter && ++count == 1) first = at;
    at += next.length;
  }
  if (count == 0) return;
  const auto line = 1 + std::ranges::count(text.substr(0, first), '\n');
  log::tell(spdlog::level::warn,
            fmt::format("{}: is not UTF-8 in {} place{}, the first on line {}; each is read as U+FFFD. "
                        "iconv -f LATIN1 -t UTF-8, or the encoding that it has, makes UTF-8 of it",
                        name, count, count == 1 ? "" : "s", line));
}

}  // namespace caravel::cli
