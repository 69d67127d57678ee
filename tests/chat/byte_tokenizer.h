#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer_data.h"

namespace caravel::chat {

/// Of a tokenizer of 256 bytes, <s>, </s> and `marks`, which are of `type`; it puts <s> before a text.
inline TokenizerData byte_tokenizer_data(const std::vector<std::string>& marks = {},
                                         TokenType type = TokenType::kControl) {
  TokenizerData data;
  data.kind = TokenizerKind::kSentencePieceBpe;
  for (int byte = 0; byte < 256; ++byte) {
    data.tokens.push_back({.text = fmt::format("<0x{:02X}>", byte), .type = TokenType::kByte});
  }
  for (const char* name : {"<s>", "</s>"}) data.tokens.push_back({.text = name, .type = TokenType::kControl});
  for (const std::string& mark : marks) data.tokens.push_back({.text = mark, .type = type});
  data.byte_fallback = true;
  data.merges_by_score = true;
  data.bos_id = 256;
  data.eos_id = 257;
  data.prefix_ids = {256};
  return data;
}

inline Tokenizer byte_tokenizer(const std::vector<std::string>& marks = {}, TokenType type = TokenType::kControl) {
  return Tokenizer(byte_tokenizer_data(marks, type));
}

}  // namespace caravel::chat
