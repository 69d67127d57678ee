#pragma once

#include <string>
#include <string_view>

namespace caravel {

/// prefix and 24 random letters and digits, as in "chatcmpl-..." and "call_...": no two are the same. Any thread.
std::string make_id(std::string_view prefix);

}  // namespace caravel
