#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::text {

/// Which characters a rewritten pattern tells apart.
enum class CharacterSet : uint8_t {
  kUnicode16,  // all that tokenizers' Oniguruma knows
  kUnicode14,  // for texts without a character that has come since: PCRE2's own tables say it all, which is faster
};

/// A pattern as Oniguruma reads it (Ruby's syntax, as in a tokenizer.json), written for PCRE2, whose classes may be of
/// an older Unicode and whose syntax has no sets within sets: \p{...}, \s, \d, \w, \h (a hexadecimal digit), \b,
/// \uHHHH, POSIX brackets, nested classes and && mean what they mean there. What is not a class passes as it is; where
/// PCRE2 would misread a pattern or cannot compile it, it says so itself.
std::string to_pcre2(std::string_view pattern, CharacterSet characters);

/// Whether the text has a character that is of another class in Unicode 16 than in 14. `text` is well-formed.
bool has_new_characters(std::string_view text);

}  // namespace caravel::text
