#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer_data.h"

namespace caravel::format {

/// The text of a tokenizer.json of Hugging Face's `tokenizers`, which alone decides what a text's tokens are and what
/// text they become: a BPE model, its normalizer, pre-tokenizer, decoder and added tokens; of the post-processor, which
/// tokens it puts first and last. `path` is for messages. Throws FormatError, Unsupported (names the piece).
TokenizerData read_tokenizer_json(std::string_view text, const std::string& path);

}  // namespace caravel::format
