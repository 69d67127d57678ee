#pragma once

#include "caravel/config.h"
#include "format/weight_source.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {

/// What the model's files say of its tokenizer, with what `add_bos` overrides: the beginning of sequence before plain
/// prompts and, of a GGUF file, in chat prompts whose template writes none. Throws InvalidArgument where it is wanted
/// and the model has none.
TokenizerData tokenizer_data(const format::WeightSource& source, AddBos add_bos);

}  // namespace caravel::engine
