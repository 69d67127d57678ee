#include "voyager/clean_text.h"

#include "base/utf8.h"

namespace caravel::voyager {

std::string clean_text(std::string_view bytes) {
  std::string text;
  if (append_complete_utf8(bytes, text) > 0) text += kReplacement;
  std::erase(text, '\0');
  return text;
}

}  // namespace caravel::voyager
