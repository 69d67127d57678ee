#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"

namespace caravel::nuggets {

/// How alike two texts are: the share of their shingles that both have (Jaccard's index), in [0, 1]; 1 of two texts
/// without any. A shingle is three units in a row, or the whole text where it has fewer. A unit is a word in lower
/// case, or a character that is part of none: a sign, and in scripts that put no spaces between words (Chinese,
/// Japanese, Thai, Lao, Khmer, Burmese) every character. White space separates and is no unit. Compatible forms (NFKC)
/// are one.
double likeness(std::string_view a, std::string_view b);

struct Near {
  size_t row;       // the earlier text, which is kept
  double likeness;  // at least the threshold
};

/// For each text the first earlier one that it is near to, among those that are kept: those that are near to none
/// before them. MinHash (Broder, "On the resemblance and containment of documents", 1997) of 128 hashes, as 16 bands of
/// 8 (Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4): who shares a band is compared, by
/// likeness(). A pair at 0.8 is found with a probability of 95%, at 0.9 of 99.99%; whoever is named is near for sure.
/// Time and memory (some 400 bytes a text) in proportion to the texts: of a band's bucket the first 64 texts count, and
/// a text is compared with the 32 that it shares most bands with. The same for the same texts whatever the pool. At
/// most 2^32 - 1 texts, UTF-8; what is not is taken as U+FFFD. threshold in (0, 1].
std::vector<std::optional<Near>> near_duplicates(std::span<const std::string_view> texts, double threshold,
                                                 ThreadPool& pool);

}  // namespace caravel::nuggets
