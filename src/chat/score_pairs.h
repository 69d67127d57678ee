#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "caravel/result.h"
#include "caravel/tokenizer.h"
#include "fields/fields.h"

namespace caravel::chat {

/// {"prefix": text or token ids, "continuations": [of the same kind, ...]}, ready to be scored.
struct ScorePairs {
  /// Where the seam between prefix and continuation merges differently the prefix's ids differ too: continuations of
  /// equal prefixes are one item.
  std::vector<ScoreRequest::Item> items;
  /// Where each continuation stands, in the order of the request: its item's number, and its own within that.
  std::vector<std::pair<size_t, size_t>> places;
  size_t tokens = 0;  // in all items: each prefix counts once
};

/// Throws FieldError: what is missing or of the wrong kind, 0 or more than `most` continuations, an id outside the
/// vocabulary, a continuation that adds no token to the prefix.
ScorePairs parse_score_pairs(Fields& fields, const Tokenizer& tokenizer, int vocab_size,
                             size_t most = std::numeric_limits<size_t>::max());

/// {"logprob", "is_greedy", "tokens", "token_ids", "token_logprobs"}. scores: Result::scores of those items; index: the
/// continuation's number in the request.
Json score_json(const ScorePairs& pairs, const std::vector<std::vector<Score>>& scores, size_t index,
                const Tokenizer& tokenizer);

/// A prefix and its continuation as ids. Texts are tokenised together and split where the prefix alone ends, white
/// space at the prefix's end going to the continuation, as lm-eval's local models do; an empty prefix becomes the token
/// that begins or separates texts. Throws InvalidField: there is no such token; InvalidArgument: the continuation adds
/// none.
std::pair<std::vector<int32_t>, std::vector<int32_t>> encode_pair(const Tokenizer& tokenizer, std::string prefix,
                                                                  std::string continuation);

}  // namespace caravel::chat
