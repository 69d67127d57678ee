#pragma once

#include <string>
#include <vector>

#include "text/tokenizer_data.h"

namespace caravel::text {

/// What tokens become in text, by a tokenizer.json's decoder; control and unknown tokens keep their name. An added
/// token that is looked for in normalised text stands for what was found there: its normalised form. Immutable.
class Decoder {
 public:
  explicit Decoder(const TokenizerData& data);

  /// The bytes that a token adds to a text, maybe a part of a character. first: it begins the text, and
  /// has_first_form().
  std::string bytes(const TokenizerData::Token& token, bool first) const;
  /// The first token of a text may stand for something else than the same token later (Metaspace, WordPiece).
  bool has_first_form() const { return has_first_form_; }

  /// A character that is taken off the beginning of a whole text, and how many of it at most.
  struct Leading {
    std::string character;
    size_t most = 0;
  };
  const Leading& leading() const { return leading_; }
  /// A text never begins with the space that encoding has put there.
  bool drops_leading_space() const;

 private:
  TokenizerKind kind_;
  bool by_kind_;
  std::vector<TokenizerData::DecoderStep> steps_;
  std::vector<TokenizerData::NormalizerStep> normalizer_;  // of added tokens that are found in normalised text
  bool has_first_form_ = false;
  bool joins_words_ = false;  // WordPiece
  Leading leading_;
};

}  // namespace caravel::text
