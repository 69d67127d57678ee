#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caravel::text {

/// The raw bytes of a byte-level token: GPT-2 stores byte 0x20 as U+0120, 0x0A as U+010A and so on, each byte as one
/// printable character. Text with a character outside that alphabet stands for itself.
std::string byte_level_decode(std::string_view stored);
/// The same; nothing where the text has a character outside the alphabet.
std::optional<std::string> byte_level_bytes(std::string_view stored);
/// The byte of a token that stands for one; nothing for others.
std::optional<uint8_t> byte_level_byte(std::string_view stored);
/// The character that a byte is stored as.
std::string byte_level_character(uint8_t byte);

}  // namespace caravel::text
