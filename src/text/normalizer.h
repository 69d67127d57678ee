#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_data.h"

namespace caravel::text {

/// What a text has become.
struct NormalText {
  std::string text;
  size_t in_front = 0;          // bytes at its beginning that stand for nothing in the text it was
  bool keeps_beginning = true;  // false: what the text began with was taken away, or was a part of what was replaced
};

/// Carries out a tokenizer's normalizer. `text` is well-formed.
NormalText normalize(std::string_view text, const std::vector<TokenizerData::NormalizerStep>& steps);

/// SentencePiece's own steps: a space before the text where `space_prefix`, then U+2581 for spaces.
std::vector<TokenizerData::NormalizerStep> sentencepiece_normalizer(bool space_prefix);

/// Every `pattern`, which is not empty, in `text` becomes `content`.
std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

}  // namespace caravel::text
