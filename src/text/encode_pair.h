#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "caravel/tokenizer.h"

namespace caravel::text {

/// A prefix and its continuation as ids, for scoring. Texts are tokenised together and split where the prefix alone
/// ends, white space at the prefix's end going to the continuation, as lm-eval's local models do; an empty prefix
/// becomes the token that begins or separates texts. Throws InvalidArgument: there is no such token, or the
/// continuation adds none.
std::pair<std::vector<int32_t>, std::vector<int32_t>> encode_pair(const Tokenizer& tokenizer, std::string prefix,
                                                                  std::string continuation);

}  // namespace caravel::text
