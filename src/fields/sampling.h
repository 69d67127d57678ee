#pragma once

#include "caravel/request.h"
#include "fields/request_field.h"

namespace caravel {

class Fields;

/// Sets in `params` what the object gives, by the rows of the table that have a member of SamplingParams: on every
/// surface all of them, under each of their names; and checks best_of. Throws FieldError.
void read_sampling(Fields& fields, Surface surface, SamplingParams& params);

/// What a surface says where neither the request nor the defaults do: Request::fallback.
SamplingParams default_sampling(Surface surface);

/// Decides what was left open: what is not given is as the defaults say (the engine's configuration, the model's
/// files), else the fallback's, else the table's. Afterwards each optional that has a default has a value (all but
/// seed, logprobs and prompt_logprobs). Beams take no penalty that only the defaults say, and an answer whose length
/// the request bounds no window of repetition. A top_p of 0, which leaves the most likely token alone, becomes the
/// smallest number above it. Engine::submit calls it; calling it twice changes nothing.
void resolve_sampling(SamplingParams& params, const GenerationDefaults& given, const SamplingParams& fallback);

/// params: resolved. Throws InvalidField: the parameter's name, its value and the range it must lie in,
/// or what it contradicts.
void validate_sampling(const SamplingParams& params, int vocab_size);

}  // namespace caravel
