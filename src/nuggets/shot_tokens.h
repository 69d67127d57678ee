#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/tokenizer.h"
#include "nuggets/shot_template.h"

namespace caravel::nuggets {

inline const std::string kParagraph = "\n\n";

/// Text alone: nothing is put before it, and special tokens that are written in it are not meant.
inline std::vector<int32_t> encode_text(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text, {.add_special = false, .parse_special = false});
}

inline std::vector<int32_t> encode_answer(const Tokenizer& tokenizer, std::string_view text, ShotOptions options) {
  constexpr size_t kOriginalMost = 200;
  std::vector<int32_t> tokens = encode_text(tokenizer, text);
  if (options.original && tokens.size() > kOriginalMost) tokens.resize(kOriginalMost);
  return tokens;
}

inline std::vector<int32_t> joined(std::vector<int32_t> first, std::span<const int32_t> second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace caravel::nuggets
