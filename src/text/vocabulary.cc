#include "text/vocabulary.h"

#include "base/check.h"
#include "base/numbers.h"
#include "text/decoder.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

std::optional<uint8_t> byte_of(std::string_view stored) {
  if (stored.size() != 6 || !stored.starts_with("<0x") || !stored.ends_with('>')) return std::nullopt;
  return parse_number<uint8_t>(stored.substr(3, 2), 16);
}

Vocabulary::Vocabulary(const TokenizerData& data, const Decoder& decoder) {
  byte_tokens_.fill(-1);
  ids_.reserve(data.tokens.size());
  ends_.reserve(data.tokens.size());
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    const auto id = static_cast<int32_t>(i);
    ids_.emplace(token.text, id);
    bytes_ += decoder.bytes(token, /*first=*/false);
    ends_.push_back(bytes_.size());
    if (token.type == TokenType::kByte && token.in_model) {
      const auto byte = byte_of(token.text);
      const bool in_capitals = token.text.find_first_of("abcdef") == std::string::npos;  // as encoders spell it
      if (byte && in_capitals) byte_tokens_[*byte] = id;
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
