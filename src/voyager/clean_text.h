#pragma once

#include <string>
#include <string_view>

namespace caravel::voyager {

/// As UTF-8: what is none becomes U+FFFD, so that a text is the same before and after it was in the record. Without NUL
/// characters.
std::string clean_text(std::string_view bytes);

}  // namespace caravel::voyager
