#pragma once

#include "caravel/engine.h"
#include "caravel/request.h"
#include "fields/fields.h"

namespace caravel::server::openai {

/// The fields of OpenAI and vLLM that say how one answer is drawn, with OpenAI's ranges where it has one. What is
/// absent is as the model's files say, else as OpenAI says (temperature 1). Not those that endpoints spell differently:
/// the number of tokens, log-probabilities, what the answer must look like.
SamplingParams parse_sampling(Fields& fields, const GenerationDefaults& defaults);

/// n, best_of and beam search.
void parse_answer_count(Fields& fields, SamplingParams& params);

}  // namespace caravel::server::openai
