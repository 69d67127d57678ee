#include "base/printable.h"

#include "base/utf8.h"

namespace caravel {

std::string printable(std::string_view text, size_t most) {
  std::string result;
  while (!text.empty()) {
    if (result.size() >= most) return result + "...";
    const Utf8Sequence s = next_utf8(text);
    const bool whole = s.kind == Utf8Sequence::kCharacter;
    const size_t length = whole ? s.length : 1;
    if (!whole || s.code_point < 0x20 || s.code_point == 0x7F) {
      result += '?';
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace caravel
