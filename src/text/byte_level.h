#pragma once

#include <string>
#include <string_view>

namespace caravel::text {

/// The raw bytes of a byte-level token: GPT-2 stores byte 0x20 as U+0120, 0x0A as U+010A and so on, each byte as one
/// printable character. Text with a character outside that alphabet stands for itself.
std::string byte_level_decode(std::string_view stored);

}  // namespace caravel::text
