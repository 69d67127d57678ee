#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/tokenizer_data.h"

namespace caravel::text {

/// The character at `text[0]`; `text` is not empty and well-formed.
char32_t first_char(std::string_view text);
/// The last character; `text` is not empty and well-formed.
char32_t last_char(std::string_view text);

/// The property White_Space.
bool is_white_space(char32_t c);
/// Letters, marks, numbers and connector punctuation: what \w is in a regular expression.
bool is_word_char(char32_t c);

/// `text` is well-formed. O(n log n) whatever the text, also for long runs of combining marks.
std::string normalize(std::string_view text, TokenizerData::Normalization form);

}  // namespace caravel::text
