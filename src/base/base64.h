#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caravel {

/// RFC 4648, section 4: padded, in one line.
std::string base64(std::string_view bytes);
/// The bytes again. Nothing: `text` is not what base64() gives of any.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace caravel
