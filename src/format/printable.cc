#include "format/printable.h"

#include "base/utf8.h"

namespace caravel::format {
namespace {

constexpr size_t kMostBytes = 120;

}  // namespace

std::string printable(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    if (result.size() >= kMostBytes) return result + "...";
    const Utf8Sequence s = next_utf8(name);
    const bool whole = s.kind == Utf8Sequence::kCharacter;
    const size_t length = whole ? s.length : 1;
    if (!whole || s.code_point < 0x20 || s.code_point == 0x7F) {
      result += '?';
    } else {
      result += name.substr(0, length);
    }
    name.remove_prefix(length);
  }
  return result;
}

}  // namespace caravel::format
