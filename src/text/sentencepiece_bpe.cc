#include "text/sentencepiece_bpe.h"

#include <algorithm>
#include <bit>

#include "base/interrupt.h"
#include "base/utf8.h"
#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

// A higher score comes first. The bits of IEEE floats of one sign are in the order of their magnitudes.
uint32_t priority_of(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 becomes 0
  return bits >> 31 ? bits : 0x7FFFFFFFu - bits;
}

// Control tokens and bytes never come of merging by score, as in llama.cpp.
bool merges_into(const TokenizerData::Token& token, bool by_score) {
  if (!by_score) return token.in_model;
  return token.type == TokenType::kNormal || token.type == TokenType::kUserDefined;
}

}  // namespace

SentencePieceBpe::SentencePieceBpe(const TokenizerData& data, const Vocabulary& vocabulary)
    : pre_tokenizer_(data.split_steps), unknown_(data, vocabulary), ignore_merges_(data.ignore_merges) {
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    if (!merges_into(token, data.merges_by_score)) continue;
    const Merge merge{priority_of(token.score), static_cast<int32_t>(i)};
    parts_.emplace(token.text, Part{merge, token.type == TokenType::kControl});
    longest_ = std::max(longest_, token.text.size());
  }
  if (!data.merges_by_score) merges_.emplace(data, vocabulary);
}

void SentencePieceBpe::encode(std::string_view text, TextPlace place, bool with_control,
                              std::vector<int32_t>& out) const {
  Merger merger;
  std::vector<Symbol> symbols;
  const Pieces pieces = pre_tokenizer_.split(text, place);
  for (const std::string_view piece : pieces) {
    check_interrupt();
    if (const Part* whole = ignore_merges_ ? find(piece, with_control) : nullptr) {
      out.push_back(whole->merge.id);
      continue;
    }
    symbols.clear();
    if (merges_) {
      encode_by_rank(piece, with_control, symbols, merger);
    } else {
      encode_by_score(piece, symbols, merger);
    }
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) out.push_back(symbol.id);
    }
  }
}

const SentencePieceBpe::Part* SentencePieceBpe::find(std::string_view text, bool with_control) const {
  const auto found = parts_.find(text);
  return found == parts_.end() || (found->second.is_control && !with_control) ? nullptr : &found->second;
}

void SentencePieceBpe::encode_by_rank(std::string_view piece, bool with_control, std::vector<Symbol>& symbols,
                                      Merger& merger) const {
  SymbolWriter writer(unknown_, symbols);
  for (uint32_t i = 0, length = 0; i < piece.size(); i += length) {
    length = static_cast<uint32_t>(char_length(piece[i]));
    const std::string_view character = piece.substr(i, length);
    if (const Part* part = find(character, with_control)) {
      writer.add({part->merge.id, i, length});
    } else {
      writer.add_unknown(character, i, length);
    }
  }
  writer.finish();
  merger.run(symbols, [&](const Symbol& left, const Symbol& right) { return merges_->find(left, right); });
}

// A part need not be made of two parts here; what is left over without a token is unknown.
void SentencePieceBpe::encode_by_score(std::string_view piece, std::vector<Symbol>& symbols, Merger& merger) const {
  std::vector<Symbol> merged;
  for (uint32_t i = 0, length = 0; i < piece.size(); i += length) {
    length = static_cast<uint32_t>(char_length(piece[i]));
    const Part* part = find(piece.substr(i, length), /*with_control=*/false);
    merged.push_back({part ? part->merge.id : -1, i, length});
  }
  merger.run(merged, [&](const Symbol& left, const Symbol& right) -> const Merge* {
    const size_t length = size_t{left.length} + right.length;
    if (length > longest_) return nullptr;
    const Part* part = find(piece.substr(left.begin, length), /*with_control=*/false);
    return part ? &part->merge : nullptr;
  });
  SymbolWriter writer(unknown_, symbols);
  for (const Symbol& symbol : merged) {
    if (symbol.id >= 0) {
      writer.add(symbol);
    } else {
      writer.add_unknown(piece.substr(symbol.begin, symbol.length), symbol.begin, symbol.length);
    }
  }
  writer.finish();
}

}  // namespace caravel::text
