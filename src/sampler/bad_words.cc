#include "sampler/bad_words.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace caravel::sampler {

BadWords::BadWords(std::vector<std::vector<int32_t>> words) : words_(std::move(words)) {
  std::ranges::sort(words_, [](const Word& a, const Word& b) {
    const int32_t before_a = last_but_one(a);
    const int32_t before_b = last_but_one(b);
    return std::tie(before_a, a) < std::tie(before_b, b);
  });
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
}

bool BadWords::has(int32_t token) const {
  return std::ranges::binary_search(ending_behind(kNothing), token, {}, [](const Word& word) { return word.back(); });
}

std::span<const BadWords::Word> BadWords::ending_behind(int32_t token) const {
  const auto first = std::ranges::lower_bound(words_, token, {}, last_but_one);
  const auto last = std::ranges::upper_bound(first, words_.end(), token, {}, last_but_one);
  return {first, last};
}

}  // namespace caravel::sampler
