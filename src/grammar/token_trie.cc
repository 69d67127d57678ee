#include "grammar/token_trie.h"

#include <algorithm>
#include <limits>

namespace caravel::grammar {

TokenTrie::TokenTrie(std::span<const std::string_view> tokens, bool drops_leading_space)
    : drops_leading_space_(drops_leading_space) {
  constexpr size_t kLongest = std::numeric_limits<uint16_t>::max();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].empty() && tokens[i].size() <= kLongest) {
      bytes_.insert(bytes_.end(), tokens[i].begin(), tokens[i].end());
      by_bytes_.push_back(static_cast<int32_t>(i));
    }
    bytes_end_.push_back(bytes_.size());
  }
  std::ranges::stable_sort(by_bytes_, {}, [&](int32_t token) { return bytes(token); });

  std::vector<size_t> path = {0};  // the nodes from the root to the last one
  nodes_.push_back({.end = 0, .tokens = 0, .depth = 0, .byte = 0});
  const auto close_to = [&](size_t depth) {
    for (; path.size() > depth + 1; path.pop_back()) nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
  };
  std::string_view before;
  for (size_t i = 0; i < by_bytes_.size(); ++i) {
    const std::string_view text = bytes(by_bytes_[i]);
    const auto differ = std::ranges::mismatch(before, text);
    close_to(static_cast<size_t>(differ.in1 - before.begin()));
    for (size_t depth = path.size(); depth <= text.size(); ++depth) {
      path.push_back(nodes_.size());
      nodes_.push_back({.end = 0,
                        .tokens = static_cast<uint32_t>(i),
                        .depth = static_cast<uint16_t>(depth),
                        .byte = static_cast<uint8_t>(text[depth - 1])});
    }
    before = text;
  }
  close_to(0);
  nodes_[0].end = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({.end = 0, .tokens = static_cast<uint32_t>(by_bytes_.size()), .depth = 0, .byte = 0});
}

std::string_view TokenTrie::bytes(int32_t token) const {
  const auto i = static_cast<size_t>(token);
  const size_t begin = i == 0 ? 0 : bytes_end_[i - 1];
  return {bytes_.data() + begin, bytes_end_[i] - begin};
}

}  // namespace caravel::grammar
