#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "text/pre_tokenizer.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

/// How many tokens a text has at least, by its bytes alone: so that what is far too long is known before it is
/// tokenized. A token stands for no more bytes than its own text has, if nothing takes bytes away before.
class LengthBound {
 public:
  /// `normalizer` and `splitting` are what the tokenizer of `data` goes by.
  LengthBound(const TokenizerData& data, const std::vector<TokenizerData::NormalizerStep>& normalizer,
              const NamedPreTokenizer& splitting);

  /// 0: nothing is known.
  size_t least_tokens(std::string_view text) const;

 private:
  std::array<bool, 256> counts_{};  // bytes that are always in some token
  size_t most_bytes_ = 0;           // of a token; 0: there is no bound
};

}  // namespace caravel::text
