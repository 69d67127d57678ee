#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "text/tokenizer_data.h"

namespace caravel::format {

/// A tokenizer.json of Hugging Face's `tokenizers`, which alone decides what a text's tokens are and what text they
/// become: a BPE model, its normalizer, pre-tokenizer, decoder and added tokens; of the post-processor, which tokens it
/// puts first and last. `path` is for messages. `root` is consumed. Throws
/// FormatError, Unsupported (names the piece).
TokenizerData read_tokenizer_json(nlohmann::json&& root, const std::string& path);

}  // namespace caravel::format
