#include "text/bpe.h"

#include "base/error.h"
#include "text/tokenizer_data.h"

namespace caravel::text {

RankedMerges::RankedMerges(const TokenizerData& data, const Vocabulary& vocabulary) : merges_(data.merges.size()) {
  std::string both;
  for (uint32_t rank = 0; rank < data.merges.size(); ++rank) {
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
