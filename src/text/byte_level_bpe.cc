#include "text/byte_level_bpe.h"

#include "text/tokenizer_data.h"

namespace caravel::text {

ByteLevelBpe::ByteLevelBpe(const TokenizerData& data, const Vocabulary& vocabulary,
                           const std::vector<TokenizerData::SplitStep>& steps, bool ignore_merges)
    : pre_tokenizer_(steps), merges_(data, vocabulary) {
  byte_ids_.fill(-1);
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    if (data.tokens[static_cast<size_t>(id)].type != TokenType::kNormal) continue;
    const std::string_view bytes = vocabulary.bytes(id);
    if (bytes.size() == 1 && byte_ids_[static_cast<uint8_t>(bytes[0])] < 0) {
      byte_ids_[static_cast<uint8_t>(bytes[0])] = id;
    }
    if (ignore_merges) whole_.emplace(bytes, id);
  }
}

void ByteLevelBpe::encode(std::string_view text, std::vector<int32_t>& out) const {
  Merger merger;
  std::vector<Symbol> symbols;
  for (const std::string_view piece : pre_tokenizer_.split(text)) {
    if (const auto whole = whole_.find(piece); whole != whole_.end()) {
      out.push_back(whole->second);
      continue;
    }
    symbols.clear();
    for (uint32_t i = 0; i < piece.size(); ++i) symbols.push_back({byte_ids_[static_cast<uint8_t>(piece[i])], i, 1});
    merger.run(symbols, [&](const Symbol& left, const Symbol& right) { return merges_.find(left, right); });
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) out.push_back(symbol.id);
    }
  }
}

}  // namespace caravel::text
