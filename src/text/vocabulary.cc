#include "text/vocabulary.h"

#include "base/check.h"
#include "base/numbers.h"
#include "text/byte_level.h"
#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

// The NN of <0xNN>.
std::optional<uint8_t> byte_of(std::string_view stored) {
  if (stored.size() != 6 || !stored.starts_with("<0x") || !stored.ends_with('>')) return std::nullopt;
  return parse_number<uint8_t>(stored.substr(3, 2), 16);
}

std::string with_spaces(std::string_view stored) {
  std::string out;
  for (size_t i = 0; i < stored.size();) {
    const bool mark = stored.substr(i).starts_with(kSpaceMark);
    out += mark ? ' ' : stored[i];
    i += mark ? kSpaceMark.size() : 1;
  }
  return out;
}

std::string raw_bytes(const TokenizerData::Token& token, TokenizerKind kind) {
  const bool sentence_piece = kind == TokenizerKind::kSentencePieceBpe;
  switch (token.type) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      return token.text;
    case TokenType::kUserDefined:
      return sentence_piece ? with_spaces(token.text) : token.text;
    case TokenType::kByte:
      if (const auto byte = byte_of(token.text)) return std::string(1, static_cast<char>(*byte));
      [[fallthrough]];
    case TokenType::kNormal:
    case TokenType::kUnused:
      return sentence_piece ? with_spaces(token.text) : byte_level_decode(token.text);
  }
  return token.text;
}

}  // namespace

Vocabulary::Vocabulary(const TokenizerData& data) {
  byte_tokens_.fill(-1);
  ids_.reserve(data.tokens.size());
  ends_.reserve(data.tokens.size());
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    const auto id = static_cast<int32_t>(i);
    ids_.emplace(token.text, id);
    bytes_ += raw_bytes(token, data.kind);
    ends_.push_back(bytes_.size());
    if (token.type == TokenType::kByte) {
      if (const auto byte = byte_of(token.text)) byte_tokens_[*byte] = id;
    }
  }
}

std::optional<int32_t> Vocabulary::find(std::string_view stored) const {
  const auto found = ids_.find(stored);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::string_view Vocabulary::bytes(int32_t token) const {
  CARAVEL_DCHECK(token >= 0 && token < size());
  const auto i = static_cast<size_t>(token);
  const size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

}  // namespace caravel::text
