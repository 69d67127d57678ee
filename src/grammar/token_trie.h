#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace caravel::grammar {

/// The bytes of a model's tokens as a trie, laid out depth first. Immutable: any thread may use it.
class TokenTrie {
 public:
  struct Node {
    uint32_t end;     // past the last node below
    uint32_t tokens;  // its own begin here
    uint16_t depth;   // bytes from the root, which is node 0
    uint8_t byte;     // the one that leads to it
  };

  /// `tokens`: the bytes of each id; empty: never part of a constrained text (special tokens). They are copied.
  /// drops_leading_space: a space that begins an answer's first token does not appear in its text (SentencePiece).
  explicit TokenTrie(std::span<const std::string_view> tokens, bool drops_leading_space = false);

  size_t size() const { return bytes_end_.size(); }
  size_t mask_words() const { return (size() + 31) / 32; }
  bool drops_leading_space() const { return drops_leading_space_; }
  std::string_view bytes(int32_t token) const;

  std::span<const Node> nodes() const { return std::span(nodes_).first(nodes_.size() - 1); }
  /// Those whose bytes lead exactly to the node.
  std::span<const int32_t> tokens(size_t node) const {
    return std::span(by_bytes_).subspan(nodes_[node].tokens, nodes_[node + 1].tokens - nodes_[node].tokens);
  }

 private:
  bool drops_leading_space_;
  std::vector<char> bytes_;
  std::vector<size_t> bytes_end_;  // [tokens]
  std::vector<int32_t> by_bytes_;  // tokens that are not empty, in order of their bytes
  std::vector<Node> nodes_;        // and one past the last
};

}  // namespace caravel::grammar
