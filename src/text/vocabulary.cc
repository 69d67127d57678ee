#include "text/vocabulary.h"

#include <bit>
#include <functional>

#include "base/check.h"
#include "base/numbers.h"
#include "text/decoder.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

std::optional<uint8_t> byte_of(std::string_view stored) {
  if (stored.size() != 6 || !stored.starts_with("<0x") || !stored.ends_with('>')) return std::nullopt;
  return parse_number<uint8_t>(stored.substr(3, 2), 16);
}

namespace {

size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

Vocabulary::Vocabulary(const TokenizerData& data, const Decoder& decoder)
    : tokens_(data.tokens), slots_(std::bit_ceil(data.tokens.size() * 2 + 1)) {
  byte_tokens_.fill(-1);
  ends_.reserve(data.tokens.size());
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    const auto id = static_cast<int32_t>(i);
    const size_t hash = hash_of(token.text);
    Slot& slot = slots_[slot_of(token.text, hash)];
    if (slot.id < 0 && !token.text.empty()) slot = {static_cast<uint32_t>(hash), id};
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
  const Slot& slot = slots_[slot_of(stored, hash_of(stored))];
  if (slot.id < 0) return std::nullopt;
  return slot.id;
}

size_t Vocabulary::slot_of(std::string_view stored, size_t hash) const {
  const size_t mask = slots_.size() - 1;
  // The high half chooses the slot and the low half is kept.
  for (size_t i = hash >> 32 & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.id < 0) return i;
    if (slot.hash == static_cast<uint32_t>(hash) && tokens_[static_cast<size_t>(slot.id)].text == stored) return i;
  }
}

std::string_view Vocabulary::bytes(int32_t token) const {
  CARAVEL_DCHECK(token >= 0 && token < size());
  const auto i = static_cast<size_t>(token);
  const size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

}  // namespace caravel::text
