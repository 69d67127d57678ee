#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "text/tokenizer_data.h"

namespace caravel::text {

// What BERT's tokenizers do to text before its words become tokens, as `tokenizers` 0.23 does it: its classes of
// characters are Unicode 8's, its decompositions Unicode 9's, and its lower case is Unicode 17's.

/// BertNormalizer, of well-formed `text`.
std::string bert_cleaned(std::string_view text, const TokenizerData::BertCleaning& how);

/// BertPreTokenizer: word(begin, end) for each word of well-formed `text`, in order.
void for_each_bert_word(std::string_view text, const std::function<void(size_t begin, size_t end)>& word);

}  // namespace caravel::text
