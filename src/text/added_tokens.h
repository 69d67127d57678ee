#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/pair_map.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

/// The tokens that are found in text before it is split and merged: control and user-defined ones. The longest that
/// begins at the leftmost place wins; what is then refused, since it is no whole word, is not searched again.
/// Immutable: any thread may split.
class AddedTokens {
 public:
  struct Entry {
    std::string_view text;  // what is looked for; not copied
    int32_t id;
    bool is_special;  // looked for where special tokens are parsed alone
    const TokenizerData::Token* flags;
  };
  /// Where two entries have one text, the last counts.
  explicit AddedTokens(const std::vector<Entry>& entries);

  struct Fragment {
    std::string_view text;  // between tokens, not empty; or what the token matched, its white space included
    int32_t id;             // -1: text
  };
  /// Appends the fragments of well-formed `text`, in order; as `tokenizers` has it, a token found in the white space
  /// that another took after itself is there as well.
  void split(std::string_view text, bool parse_special, std::vector<Fragment>& out) const;

 private:
  struct Node {
    int32_t id = -1;  // the token that ends here
    bool is_special = false;
    const TokenizerData::Token* flags = nullptr;
  };
  const Node* longest_at(std::string_view text, size_t begin, bool parse_special, size_t& length) const;

  std::vector<Node> nodes_;         // a trie over bytes; nodes_[0] is its root
  PairMap<int32_t> edges_;          // (node, byte) -> node
  std::array<bool, 256> begins_{};  // bytes that some token begins with
};

}  // namespace caravel::text
