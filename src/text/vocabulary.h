#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/decoder.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581, SentencePiece's space

/// The NN of <0xNN>; nothing where the token is not spelled so.
std::optional<uint8_t> byte_of(std::string_view stored);

/// The tokens' texts and bytes by id, and ids by text. Immutable.
class Vocabulary {
 public:
  /// Points into `data`, which outlives it.
  Vocabulary(const TokenizerData& data, const Decoder& decoder);

  int size() const { return static_cast<int>(ends_.size()); }
  /// The token whose text is stored so; where several have it, the first.
  std::optional<int32_t> find(std::string_view stored) const;
  /// What the token stands for in text, behind others. `token` is in range.
  std::string_view bytes(int32_t token) const;
  /// The token <0xNN> of a byte, -1 where there is none.
  int32_t byte_token(uint8_t byte) const { return byte_tokens_[byte]; }

 private:
  /// Of the table from texts to ids: open addressing, at most half full. The part of the hash lets a search read one
  /// text, the one that it looks for.
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;  // -1: free
  };
  /// Where the text is, or the free slot where it would go.
  size_t slot_of(std::string_view stored, size_t hash) const;

  const std::vector<TokenizerData::Token>& tokens_;
  std::vector<Slot> slots_;
  std::string bytes_;         // all tokens', one after another
  std::vector<size_t> ends_;  // [tokens] into bytes_
  std::array<int32_t, 256> byte_tokens_;
};

}  // namespace caravel::text
