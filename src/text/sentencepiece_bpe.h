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

/// BPE over characters, as SentencePiece does it (Kudo and Richardson 2018): spaces have become a mark, pairs merge by
/// score or by rank, characters without a token become their bytes' tokens. Immutable.
class SentencePieceBpe {
 public:
  /// Throws FormatError. `data` outlives the object.
  SentencePieceBpe(const TokenizerData& data, const Vocabulary& vocabulary);

  /// Appends the ids of normalised text without added tokens. with_control: a character, or a piece, may be a control
  /// token's name.
  void encode(std::string_view text, TextPlace place, bool with_control, std::vector<int32_t>& out) const;

 private:
  struct Part {
    Merge merge;  // its priority where scores rule
    bool is_control;
  };

  const Part* find(std::string_view text, bool with_control) const;
  void encode_by_rank(std::string_view piece, bool with_control, std::vector<Symbol>& symbols, Merger& merger) const;
  void encode_by_score(std::string_view piece, std::vector<Symbol>& symbols, Merger& merger) const;

  PreTokenizer pre_tokenizer_;
  std::unordered_map<std::string_view, Part> parts_;  // what text can become
  std::optional<RankedMerges> merges_;                // absent where scores rule
  UnknownCharacters unknown_;
  bool ignore_merges_;
  size_t longest_ = 0;  // bytes of the longest of parts_
};

}  // namespace caravel::text
