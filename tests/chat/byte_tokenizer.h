#pragma once

#include <fmt/format.h>

#include <utility>

#include "text/tokenizer_data.h"

namespace caravel::chat {

/// A tokenizer of 256 bytes, <s> and </s>; it puts <s> before a text.
inline Tokenizer byte_tokenizer() {
  TokenizerData data;
  data.kind = TokenizerKind::kSentencePieceBpe;
  for (int byte = 0; byte < 256; ++byte) {
    data.tokens.push_back({.text = fmt::format("<0x{:02X}>", byte), .type = TokenType::kByte});
  }
  for (const char* name : {"<s>", "</s>"}) data.tokens.push_back({.text = name, .type = TokenType::kControl});
  data.byte_fallback = true;
  data.merges_by_score = true;
  data.bos_id = 256;
  data.eos_id = 257;
  data.add_bos = true;
  return Tokenizer(std::move(data));
}

}  // namespace caravel::chat
