#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "caravel/tokenizer.h"
#include "text/added_tokens.h"
#include "text/byte_level_bpe.h"
#include "text/decoder.h"
#include "text/length_bound.h"
#include "text/pre_tokenizer.h"
#include "text/sentencepiece_bpe.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"
#include "text/word_piece.h"

namespace caravel {

/// What a Tokenizer is made of. Immutable.
struct Tokenizer::Impl {
  explicit Impl(TokenizerData d);
  /// Throws InvalidArgument for an id outside the vocabulary.
  const TokenizerData::Token& token(int32_t id) const;
  text::AddedTokens added_tokens(bool normalized) const;
  void encode_plain(std::string_view text, bool begins_input, bool parse_special, std::vector<int32_t>& out) const;

  TokenizerData data;
  text::Decoder decoder;
  text::Vocabulary vocabulary;
  text::NamedPreTokenizer splitting;
  std::vector<TokenizerData::NormalizerStep> normalizer;
  std::variant<text::ByteLevelBpe, text::SentencePieceBpe, text::WordPiece> model;
  text::LengthBound length_bound;
  text::AddedTokens raw_added;         // looked for in the text as it comes
  text::AddedTokens normalized_added;  // looked for in normalised text
};

}  // namespace caravel
