#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::text::jinja {

/// Python's view of a string: code points. A byte that is not part of valid UTF-8 counts as a character of its own.

int64_t utf8_length(std::string_view text);  // code points
std::vector<std::string_view> utf8_characters(std::string_view text);

/// The code point at `text[offset]`, and its length in bytes (at least 1).
struct CodePoint {
  int32_t value;  // a broken byte gives -1
  size_t bytes;
};
CodePoint utf8_decode(std::string_view text, size_t offset);
/// A lone surrogate, and what is above U+10FFFF, becomes U+FFFD.
void utf8_append(std::string& out, uint32_t code_point);

bool is_python_space(int32_t code_point);  // str.isspace
bool is_cased(int32_t code_point);
bool is_upper(int32_t code_point);
bool is_lower(int32_t code_point);
bool is_alpha(int32_t code_point);
bool is_digit(int32_t code_point);  // decimal digits of any script
bool is_word(int32_t code_point);   // \w of Python's re
bool is_printable(int32_t code_point);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// First character upper, the rest lower.
std::string capitalize(std::string_view text);
/// str.title: each run of cased characters starts upper and goes on lower.
std::string title_case(std::string_view text);

/// Without the characters of `chars` (whitespace where nullptr) at its ends.
std::string_view strip(std::string_view text, const std::string_view* chars = nullptr, bool left = true,
                       bool right = true);

/// str.splitlines, without the line ends.
std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace caravel::text::jinja
