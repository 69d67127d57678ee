#pragma once

#include <string_view>

namespace caravel::cli {

/// Says on stderr where a text that was read is not UTF-8: the tokenizer reads U+FFFD there. name: of the text's file.
void warn_of_broken_utf8(std::string_view text, std::string_view name);

}  // namespace caravel::cli
