#include "text/byte_level_bpe.h"

#include <utility>

#include "base/interrupt.h"
#include "text/byte_level.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

ByteLevelBpe::ByteLevelBpe(const TokenizerData& data, const Vocabulary& vocabulary,
                           const std::vector<TokenizerData::SplitStep>& steps, bool ignore_merges)
    : pre_tokenizer_(steps), merges_(data, vocabulary), unknown_(data, vocabulary) {
  byte_ids_.fill(-1);
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const auto& token = data.tokens[static_cast<size_t>(id)];
    if (!token.in_model) continue;
    if (const auto byte = byte_level_byte(token.text); byte && byte_ids_[*byte] < 0) byte_ids_[*byte] = id;
    if (!ignore_merges) continue;
    if (auto bytes = byte_level_bytes(token.text)) {
      whole_.try_emplace(std::move(*bytes), Whole{id, token.type == TokenType::kControl});
    }
  }
}

void ByteLevelBpe::encode(std::string_view text, TextPlace place, bool with_control, std::vector<int32_t>& out) const {
  Merger merger;
  std::vector<Symbol> symbols;
  std::string key;
  const Pieces pieces = pre_tokenizer_.split(text, place);
  for (const std::string_view piece : pieces) {
    check_interrupt();
    if (!whole_.empty()) {
      key.assign(piece);
      const auto whole = whole_.find(key);
      if (whole != whole_.end() && (with_control || !whole->second.is_control)) {
        out.push_back(whole->second.id);
        continue;
      }
    }
    symbols.clear();
    SymbolWriter writer(unknown_, symbols);
    for (uint32_t i = 0; i < piece.size(); ++i) {
      if (i % 65'536 == 65'535) check_interrupt_now();
      const auto byte = static_cast<uint8_t>(piece[i]);
      if (byte_ids_[byte] >= 0) {
        writer.add({byte_ids_[byte], i, 1});
      } else {
        writer.add_unknown(byte_level_character(byte), i, 1);
      }
    }
    writer.finish();
    merger.run(symbols, [&](const Symbol& left, const Symbol& right) { return merges_.find(left, right); });
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) out.push_back(symbol.id);
    }
  }
}

}  // namespace caravel::text
