#include "text/bpe.h"

#include "base/error.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

UnknownCharacters::UnknownCharacters(const TokenizerData& data, const Vocabulary& vocabulary)
    : byte_fallback(data.byte_fallback),
      fuse(data.fuse_unknown),
      left_out_parts(data.left_out_parts),
      unknown_id(data.unknown_id.value_or(-1)) {
  for (size_t byte = 0; byte < byte_tokens.size(); ++byte) {
    byte_tokens[byte] = vocabulary.byte_token(static_cast<uint8_t>(byte));
  }
}

void SymbolWriter::add_unknown(std::string_view spelled, uint32_t begin, uint32_t length) {
  const auto token_of = [&](char byte) { return unknown_.byte_tokens[static_cast<uint8_t>(byte)]; };
  const bool has_bytes =
      unknown_.byte_fallback && std::ranges::all_of(spelled, [&](char byte) { return token_of(byte) >= 0; });
  if (has_bytes) {
    for (const char byte : spelled) symbols_.push_back({token_of(byte), begin, 1});
  } else if (unknown_.unknown_id >= 0) {
    if (!unknown_.fuse) finish();
    if (run_.length == 0) run_ = {unknown_.unknown_id, begin, 0};
    run_.length += length;
  } else if (unknown_.left_out_parts) {
    symbols_.push_back({-1, begin, length});
  }
}

RankedMerges::RankedMerges(const TokenizerData& data, const Vocabulary& vocabulary) : merges_(data.merges.size()) {
  std::string both;
  for (auto rank = static_cast<uint32_t>(data.merges.size()); rank-- > 0;) {  // of equal pairs the last counts
    const auto& [left, right] = data.merges[rank];
    both.assign(left).append(right);
    const auto left_id = vocabulary.find(left);
    const auto right_id = vocabulary.find(right);
    const auto id = vocabulary.find(both);
    if (!left_id || !right_id || !id) {
      throw fail<FormatError>(
          "the tokenizer's merge {} of {} joins \"{}\" and \"{}\", but \"{}\" is not in its vocabulary", rank,
          data.merges.size(), left, right,
          !left_id    ? left
          : !right_id ? right
                      : both);
    }
    merges_.insert(*left_id, *right_id, {rank, *id});
  }
}

}  // namespace caravel::text
