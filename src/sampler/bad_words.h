#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace caravel::sampler {

/// Sequences of tokens that may not come about: which tokens would complete one. Immutable.
class BadWords {
 public:
  BadWords() = default;
  /// None of them is empty; the same one twice is one.
  BadWords(std::vector<std::vector<int32_t>> words);  // NOLINT(google-explicit-constructor)

  bool empty() const { return words_.empty(); }
  const std::vector<std::vector<int32_t>>& words() const { return words_; }
  /// `token` is one by itself.
  bool has(int32_t token) const;
  /// Calls `forbid` for each token that completes a word behind `tokens`. Takes as long as there are words of one token
  /// and words whose last token but one `tokens` ends with.
  template <typename Forbid>
  void completing(std::span<const int32_t> tokens, Forbid forbid) const {
    for (const auto& word : ending_behind(kNothing)) forbid(word.back());
    if (tokens.empty()) return;
    for (const auto& word : ending_behind(tokens.back())) {
      const auto front = std::span(word).first(word.size() - 1);
      if (tokens.size() < front.size()) continue;
      const auto end = tokens.last(front.size());
      if (std::equal(front.begin(), front.end(), end.begin())) forbid(word.back());
    }
  }

 private:
  static constexpr int32_t kNothing = -1;
  using Word = std::vector<int32_t>;
  static int32_t last_but_one(const Word& word) { return word.size() > 1 ? word[word.size() - 2] : kNothing; }
  std::span<const Word> ending_behind(int32_t token) const;

  std::vector<Word> words_;  // by last_but_one(), and then in order
};

}  // namespace caravel::sampler
