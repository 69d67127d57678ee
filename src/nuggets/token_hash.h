#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"

namespace caravel::nuggets {

/// By what ScoreStore knows prefixes and continuations. before: of the tokens that are read and not scored.
inline Hash128 hash_of(const std::vector<int32_t>& tokens, Hash128 before = {}) {
  return hash128(tokens.data(), tokens.size() * sizeof(int32_t), before);
}

}  // namespace caravel::nuggets
