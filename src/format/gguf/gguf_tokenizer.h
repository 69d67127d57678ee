#pragma once

#include "caravel/request.h"
#include "format/gguf/gguf_metadata.h"
#include "text/tokenizer_data.h"

namespace caravel::format {

/// What `tokenizer.*` says; no tokens where the file has none. Follows llama.cpp's defaults for keys that are absent.
/// Throws FormatError (a list of the wrong kind or length), Unsupported (a tokenizer model, by name).
TokenizerData read_gguf_tokenizer(const GgufMetadata& metadata);

/// The ids that end an answer: eos, eot and eom, and the special tokens of `tokenizer` that end one by their name
/// wherever they occur ("<|im_end|>", "<|eot_id|>", ...). Sampling settings: `general.sampling.*`.
GenerationDefaults read_gguf_generation(const GgufMetadata& metadata, const TokenizerData& tokenizer);

}  // namespace caravel::format
