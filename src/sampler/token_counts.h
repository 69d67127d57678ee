#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace caravel::sampler {

/// How often each token that occurs in a sequence occurs there, kept as it grows. Memory is of the order of the
/// distinct tokens, never of the vocabulary. A copy goes on alone (n > 1).
class TokenCounts {
 public:
  struct Entry {
    int32_t token;
    int32_t in_output;  // 0: in the prompt alone
  };

  void add_prompt(std::span<const int32_t> tokens);
  void add_output(int32_t token) { ++find_or_insert(token).in_output; }
  /// Room for `distinct` tokens, so that adding up to these many allocates nothing.
  void reserve(size_t distinct);

  /// In order of first occurrence.
  std::span<const Entry> entries() const { return entries_; }

 private:
  Entry& find_or_insert(int32_t token);
  size_t place_of(int32_t token) const;
  void rehash(size_t slots);

  std::vector<Entry> entries_;
  std::vector<int32_t> slots_;  // open addressing, a power of two at most half full: index into entries_; -1: free
};

}  // namespace caravel::sampler
