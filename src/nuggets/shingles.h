#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace caravel::nuggets {

/// A text's shingles (see likeness()) as hashes, ascending, each once. Two of n different shingles share a hash with a
/// probability of n^2 / 2^65: they are taken for one.
std::vector<uint64_t> shingles_of(std::string_view text);

}  // namespace caravel::nuggets
