#pragma once

#include "caravel/request.h"

namespace caravel::sampler {

/// The most log-probabilities of one place that may be asked for, and the widest beam.
inline constexpr int kMaxLogprobs = 128;
inline constexpr int kMaxBeamWidth = 32;

/// Throws InvalidArgument: the parameter's name, its value and the range it must lie in, or what it contradicts.
void validate(const SamplingParams& params, int vocab_size);

}  // namespace caravel::sampler
