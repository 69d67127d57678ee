#pragma once

#include <memory>
#include <string>

#include "format/weight_source.h"

namespace caravel::format {

/// A Hugging Face folder: config.json, model.safetensors or the shards of model.safetensors.index.json; tokenizer.json,
/// tokenizer_config.json and generation_config.json where they are there (without a tokenizer.json, tokenizer() has no
/// tokens). Of a multimodal model: its text part. weights: whether they are
/// looked for. Throws as open_weights does.
std::unique_ptr<WeightSource> open_hf_folder(const std::string& path, bool weights = true);

}  // namespace caravel::format
