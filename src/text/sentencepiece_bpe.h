#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace caravel::text {

/// BPE over characters, as SentencePiece does it (Kudo and Richardson 2018): spaces are written U+2581, pairs merge by
/// score or by rank, characters without a token become their bytes' tokens. Immutable.
class SentencePieceBpe {
 public:
  /// Throws FormatError. `vocabulary` outlives the object.
  SentencePieceBpe(const TokenizerData& data, const Vocabulary& vocabulary);

  /// Appends the ids of normalised text without added tokens, its spaces written U+2581.
  void encode(std::string_view text, std::vector<int32_t>& out) const;

 private:
  void append_unknown(std::string_view text, bool after_unknown, std::vector<int32_t>& out) const;

  const Vocabulary* vocabulary_;
  PreTokenizer pre_tokenizer_;
  std::unordered_map<std::string_view, Merge> pieces_;  // what text can become; priorities where scores rule
  std::optional<RankedMerges> merges_;                  // absent where scores rule
  size_t longest_ = 0;                                  // bytes of the longest of pieces_
  bool byte_fallback_;
  int32_t unknown_id_;  // -1: none
};

}  // namespace caravel::text
