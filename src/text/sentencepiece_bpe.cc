#include "text/sentencepiece_bpe.h"

#include <bit>

#include "base/utf8.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

// A higher score comes first. The bits of IEEE floats of one sign are in the order of their magnitudes.
uint32_t priority_of(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 becomes 0
  return bits >> 31 ? bits : 0x7FFFFFFFu - bits;
}

bool has_all_bytes(const Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    if (vocabulary.byte_token(static_cast<uint8_t>(byte)) < 0) return false;
  }
  return true;
}

}  // namespace

SentencePieceBpe::SentencePieceBpe(const TokenizerData& data, const Vocabulary& vocabulary)
    : vocabulary_(&vocabulary),
      pre_tokenizer_(data.split_steps),
      byte_fallback_(data.byte_fallback && has_all_bytes(vocabulary)),
      unknown_id_(data.unknown_id.value_or(-1)) {
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    if (token.type != TokenType::kNormal && token.type != TokenType::kUserDefined) continue;
    pieces_.emplace(token.text, Merge{priority_of(token.score), static_cast<int32_t>(i)});
    longest_ = std::max(longest_, token.text.size());
  }
  if (!data.merges_by_score) merges_.emplace(data, vocabulary);
}

void SentencePieceBpe::encode(std::string_view text, std::vector<int32_t>& out) const {
  Merger merger;
  std::vector<Symbol> symbols;
  for (const std::string_view piece : pre_tokenizer_.split(text)) {
    symbols.clear();
    for (size_t i = 0; i < piece.size();) {
      const size_t length = char_length(piece[i]);
      const auto found = pieces_.find(piece.substr(i, length));
      symbols.push_back(
          {found == pieces_.end() ? -1 : found->second.id, static_cast<uint32_t>(i), static_cast<uint32_t>(length)});
      i += length;
    }
    if (merges_) {
      merger.run(symbols, [&](const Symbol& left, const Symbol& right) { return merges_->find(left, right); });
    } else {
      merger.run(symbols, [&](const Symbol& left, const Symbol& right) -> const Merge* {
        const size_t length = size_t{left.length} + right.length;
        if (length > longest_) return nullptr;
        const auto found = pieces_.find(piece.substr(left.begin, length));
        return found == pieces_.end() ? nullptr : &found->second;
      });
    }
    bool after_unknown = false;
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) {
        out.push_back(symbol.id);
      } else {
        append_unknown(piece.substr(symbol.begin, symbol.length), after_unknown, out);
      }
      after_unknown = symbol.id < 0;
    }
  }
}

void SentencePieceBpe::append_unknown(std::string_view text, bool after_unknown, std::vector<int32_t>& out) const {
  if (byte_fallback_) {
    for (const char byte : text) out.push_back(vocabulary_->byte_token(static_cast<uint8_t>(byte)));
  } else if (unknown_id_ >= 0 && !after_unknown) {
    out.push_back(unknown_id_);  // a run of unknown characters is one
  }
}

}  // namespace caravel::text
