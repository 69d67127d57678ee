#pragma once

#include <array>
#include <cstdint>
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
  /// Throws FormatError. `vocabulary` outlives the object.
  ByteLevelBpe(const TokenizerData& data, const Vocabulary& vocabulary,
               const std::vector<TokenizerData::SplitStep>& steps, bool ignore_merges);

  /// Appends the ids of normalised text without added tokens. A byte that has no token (SmolLM2 lacks some
  /// control characters) is left out, as by `tokenizers` and llama.cpp.
  void encode(std::string_view text, std::vector<int32_t>& out) const;

 private:
  PreTokenizer pre_tokenizer_;
  RankedMerges merges_;
  std::array<int32_t, 256> byte_ids_;                    // -1: none
  std::unordered_map<std::string_view, int32_t> whole_;  // bytes -> id, where a whole token needs no merges
};

}  // namespace caravel::text
