#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/pre_tokenizer.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace caravel::text {

/// BERT's tokens (Devlin et al. 2018; Wu et al. 2016, section 4.1): of what is left of a word the longest token that it
/// begins with, again and again. A word that is too long, or of which some rest begins with no token, is one unknown
/// token. Immutable.
class WordPiece {
 public:
  /// Throws FormatError where the vocabulary has no unknown token. `data` and `vocabulary` outlive the object.
  WordPiece(const TokenizerData& data, const Vocabulary& vocabulary);

  /// Appends the ids of normalised text without added tokens. `with_control` changes nothing: no word is a control
  /// token's name.
  void encode(std::string_view text, TextPlace place, bool with_control, std::vector<int32_t>& out) const;

 private:
  /// False: the word is unknown, and what was appended is no part of it.
  bool append_pieces(std::string_view word, std::string& piece, std::vector<int32_t>& out) const;
  std::optional<int32_t> find(std::string_view piece) const;

  const TokenizerData& data_;
  const Vocabulary& vocabulary_;
  PreTokenizer pre_tokenizer_;
  int32_t unknown_;
  size_t longest_ = 0;  // bytes of the longest token, without the prefix
};

}  // namespace caravel::text
