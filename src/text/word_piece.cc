#include "text/word_piece.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/utf8.h"

namespace caravel::text {
namespace {

int32_t unknown_of(const TokenizerData& data) {
  if (!data.unknown_id) throw fail<FormatError>("the WordPiece tokenizer's unknown token is not in its vocabulary");
  return *data.unknown_id;
}

}  // namespace

WordPiece::WordPiece(const TokenizerData& data, const Vocabulary& vocabulary)
    : data_(data), vocabulary_(vocabulary), pre_tokenizer_(data.split_steps), unknown_(unknown_of(data)) {
  for (const TokenizerData::Token& token : data.tokens) {
    if (token.in_model) longest_ = std::max(longest_, token.text.size());
  }
}

std::optional<int32_t> WordPiece::find(std::string_view piece) const {
  const std::optional<int32_t> id = vocabulary_.find(piece);
  return id && data_.tokens[static_cast<size_t>(*id)].in_model ? id : std::nullopt;
}

bool WordPiece::append_pieces(std::string_view word, std::string& piece, std::vector<int32_t>& out) const {
  const auto characters = static_cast<size_t>(std::ranges::count_if(word, [](char c) { return !is_continuation(c); }));
  if (characters > data_.longest_word) return false;
  for (size_t begin = 0; begin < word.size();) {
    piece = begin == 0 ? "" : data_.continuing_prefix;
    const size_t prefix = piece.size();
    piece += word.substr(begin, longest_);
    // A cut within a character is in no token.
    std::optional<int32_t> found;
    while (piece.size() > prefix && !(found = find(piece))) piece.pop_back();
    if (!found) return false;
    out.push_back(*found);
    begin += piece.size() - prefix;
  }
  return true;
}

void WordPiece::encode(std::string_view text, TextPlace place, bool /*with_control*/, std::vector<int32_t>& out) const {
  std::string piece;
  for (const std::string_view word : pre_tokenizer_.split(text, place)) {
    check_interrupt();
    const size_t before = out.size();
    if (append_pieces(word, piece, out)) continue;
    out.resize(before);
    out.push_back(unknown_);
  }
}

}  // namespace caravel::text
