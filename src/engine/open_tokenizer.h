#pragma once

#include "caravel/config.h"
#include "format/weight_source.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {

/// Whether the beginning of sequence goes before plain prompts. Throws InvalidArgument where it is wanted and the model
/// has none.
bool puts_bos_first(const format::WeightSource& source, AddBos add_bos);

/// What the model's files say of its tokenizer, with what `add_bos` overrides: the beginning of sequence before plain
/// prompts and, of a GGUF file, in chat prompts whose template writes none. Throws as puts_bos_first() does.
TokenizerData tokenizer_data(const format::WeightSource& source, AddBos add_bos);

}  // namespace caravel::engine
