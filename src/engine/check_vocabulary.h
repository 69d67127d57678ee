#pragma once

#include <optional>

#include "caravel/decision.h"
#include "format/weight_source.h"

namespace caravel::engine {

/// That an embedding of `rows` has one for each token of the source's tokenizer. More rows than tokens are what many
/// models have. Of fewer, tokens that a tokenizer.json adds to its model may lack theirs (Gemma 3's, for images): a
/// request that has one is refused, and the decision says which they are. Throws FormatError where another token does.
std::optional<Decision> check_vocabulary(const format::WeightSource& source, int rows);

}  // namespace caravel::engine
