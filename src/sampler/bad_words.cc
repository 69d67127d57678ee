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
  const auto rest = std::ranges::unique(words_);
  words_.erase(rest.begin(), rest.end());
}

bool BadWords::has(int32_t token) const {
  return std::ranges::binary_search(ending_behind(kNothing), token, {}, [](const Word& word) { return word.back(); });
}

std::span<const BadWords::Word> BadWords::ending_behind(int32_t token) const {
  const auto found = std::ranges::equal_range(words_, token, {}, last_but_one);
  return {found.begin(), found.end()};
}

}  // namespace caravel::sampler
