#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "device/dtype.h"

namespace caravel {

/// Adds a word of a bench's command line to `types` where it names one, or to `token_counts` where it is a number from
/// 1 to `most`; false where it is neither.
inline bool take_type_or_tokens(std::string_view word, int64_t most, std::vector<DType>& types,
                                std::vector<int64_t>& token_counts) {
  for (int type = 0; type < kDTypeCount; ++type) {
    if (dtype_info(static_cast<DType>(type)).name != word) continue;
    types.push_back(static_cast<DType>(type));
    return true;
  }
  const int64_t tokens = parse_number<int64_t>(word).value_or(0);
  if (tokens < 1 || tokens > most) return false;
  token_counts.push_back(tokens);
  return true;
}

}  // namespace caravel
