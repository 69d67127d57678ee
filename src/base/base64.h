#pragma once

#include <string>
#include <string_view>

namespace caravel {

/// RFC 4648, section 4: padded, in one line.
std::string base64(std::string_view bytes);

}  // namespace caravel
