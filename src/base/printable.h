#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caravel {

/// Text out of a file, fit for one line of a message: control characters and the bytes of broken UTF-8 become '?', and
/// "..." stands for what goes on beyond `most` bytes.
std::string printable(std::string_view text, size_t most = 120);

}  // namespace caravel
