#pragma once

#include <string>
#include <vector>

#include "model/config_reader.h"

namespace caravel::model {

/// The rotary embeddings of a model: the layers' own, then, where the architecture has one, that of the layers with a
/// window. Frequencies theta^(-2i/dim) (Su et al. 2021), scaled: "linear" (all divided by a factor), "llama3" and
/// "yarn" (rope_scaling.h), "dynamic" (not at all up to the model's own context), or by the factors of a GGUF file's
/// rope_freqs.weight.
/// scaling: "none" or an object of rotary parameters in JSON, which takes the place of all that the files say of
/// scaling; one for each type of layer ("full_attention", "sliding_attention"), or the layers' own alone. Bases stay
/// the files' unless it has a rope_theta. Empty: the files'. Throws Unsupported for other scalings, which lists these,
/// InvalidArgument for a `scaling` that makes no sense.
std::vector<RotarySpec> read_rotary(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                    int max_position, const std::string& scaling = "");

/// What a folder's rotary parameters say and nobody reads, transformers neither.
std::vector<Decision> unread_rotary_keys(const ConfigReader& reader, const Architecture& architecture);

}  // namespace caravel::model
