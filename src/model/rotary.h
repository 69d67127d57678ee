#pragma once

#include <vector>

#include "model/config_reader.h"

namespace caravel::model {

/// The rotary embeddings of a model: the layers' own, then, where the architecture has one, that of the layers with a
/// window. Frequencies theta^(-2i/dim) (Su et al. 2021), scaled: "linear" (all divided by a factor), "llama3" and
/// "yarn" (rope_scaling.h), "dynamic" (not at all up to the model's own context), or by the factors of a GGUF file's
/// rope_freqs.weight.
/// Throws Unsupported for other scalings, which lists these.
std::vector<RotarySpec> read_rotary(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                    int max_position);

}  // namespace caravel::model
