#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace caravel::text {

/// Byte-level BPE (Radford et al. 2019, section 2.2): text is split into pieces, each piece's bytes are merged by rank.
/// Immutable.
class ByteLevelBpe {
 public:
  /// Throws FormatError. `vocabulary` need not outlive the object.
  ByteLevelBpe(const TokenizerData& data, const Vocabulary& vocabulary,
               const std::vector<TokenizerData::SplitStep>& steps, bool ignore_merges);

  /// Appends the ids of normalised text without added tokens. with_control: a piece may be a control token's name. A
  /// byte that has no token (SmolLM2 lacks some control characters) is an unknown character.
  void encode(std::string_view text, TextPlace place, bool with_control, std::vector<int32_t>& out) const;

 private:
  struct Whole {
    int32_t id;
    bool is_control;
  };

  PreTokenizer pre_tokenizer_;
  RankedMerges merges_;
  UnknownCharacters unknown_;
  std::array<int32_t, 256> byte_ids_;             // -1: none
  std::unordered_map<std::string, Whole> whole_;  // bytes -> token, where a whole token needs no merges
};

}  // namespace caravel::text
