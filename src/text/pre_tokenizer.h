#pragma once

#include <string_view>
#include <vector>

#include "text/regex.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

/// What a GGUF file means by a `tokenizer.ggml.pre` name.
struct NamedPreTokenizer {
  std::vector<TokenizerData::SplitStep> steps;
  bool ignore_merges = false;
  TokenizerData::Normalization normalization = TokenizerData::Normalization::kNone;
};

/// Throws Unsupported, naming it.
NamedPreTokenizer named_pre_tokenizer(std::string_view name);

/// Splits text into the pieces that BPE merges within. Immutable: any thread may split.
class PreTokenizer {
 public:
  /// The steps run in order, each within the pieces of the one before. None: the text is one piece.
  /// Throws FormatError where a pattern does not compile.
  explicit PreTokenizer(const std::vector<TokenizerData::SplitStep>& steps);

  /// The pieces of well-formed `text`, in order, none empty; they point into it.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  struct Step {
    Regex regex;
    bool invert;
    TokenizerData::SplitStep::Behavior behavior;
  };
  std::vector<Step> steps_;
};

}  // namespace caravel::text
