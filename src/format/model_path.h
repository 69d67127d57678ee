#pragma once

#include <string>
#include <vector>

#include "caravel/request.h"

namespace caravel::format {

/// $CARAVEL_CACHE, else $XDG_CACHE_HOME/caravel, else ~/.cache/caravel.
std::string cache_directory();

/// Where the Hugging Face Hub's clients keep models: $HF_HUB_CACHE, else $HF_HOME/hub, else ~/.cache/huggingface/hub.
std::string hub_directory();

/// Names that resolve_model() would look for here, a model's first one: of models that scripts/fetch_model has fetched,
/// of files and folders in the cache directory, and `org/name` for each folder of the Hub's cache.
std::vector<std::string> model_names();

/// What a MODEL argument means, tried in this order: a path that exists; a name that scripts/fetch_model knows
/// ("smollm2", "gemma3-270m", "minilm"; empty: the default model, smollm2), in the cache directory; a file's name
/// there, with or without .gguf; `org/name` in the local Hugging Face cache, its main snapshot, and `org/name:Q4_K_M`
/// the GGUF file of that type there. Throws NotFound, which says where was looked, what is called alike, and how to
/// fetch, and InvalidArgument, which lists several files that may be meant.
std::string resolve_model(const std::string& model);

/// What the card of a model that scripts/fetch_model knows says of drawing from it, and its file does not. path: as
/// resolve_model() gives it; a file is known by its name.
GenerationDefaults card_defaults(const std::string& path);

}  // namespace caravel::format
