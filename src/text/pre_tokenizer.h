#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
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

/// Where a text lies in what was to be encoded.
struct TextPlace {
  bool begins_input = true;  // its first character of the input is the input's first
  size_t in_front = 0;       // bytes at its beginning that a normalizer or pre-tokenizer has put there

  /// Of what is left of such a text from byte `begin` on.
  TextPlace from(size_t begin) const {
    return {begins_input && begin <= in_front, in_front > begin ? in_front - begin : 0};
  }
};

/// The pieces of a text, in order, none empty. They point into that text, or into what they keep themselves.
class Pieces {
 public:
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

 private:
  friend class PreTokenizer;
  std::vector<std::string_view> list_;
  std::deque<std::string> rewritten_;
};

/// Splits text into the pieces that BPE merges within. Immutable: any thread may split.
class PreTokenizer {
 public:
  /// The steps run in order, each within the pieces of the one before. None: the text is one piece.
  /// Throws FormatError where a pattern does not compile.
  explicit PreTokenizer(const std::vector<TokenizerData::SplitStep>& steps);

  /// Of well-formed `text`, which outlives the pieces.
  Pieces split(std::string_view text, TextPlace place = {}) const;

 private:
  struct Step {
    std::optional<Regex> regex;  // nothing: BERT's step
    TokenizerData::SplitStep data;
  };
  std::vector<Step> steps_;
};

}  // namespace caravel::text
