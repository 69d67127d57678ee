#pragma once

#include <string>

#include "caravel/request.h"

namespace caravel::format {

/// $CARAVEL_CACHE, else $XDG_CACHE_HOME/caravel, else ~/.cache/caravel.
std::string cache_directory();

/// What a MODEL argument means, tried in this order: a path that exists; a name that scripts/fetch_model knows
/// ("smollm2", "gemma3-270m"; empty: the default model, smollm2), in the cache directory; a file's name there, with or
/// without .gguf; `org/name` in the local Hugging Face cache ($HF_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub),
/// its main snapshot. Throws NotFound, which says where was looked and how to fetch.
std::string resolve_model(const std::string& model);

/// What the card of a model that scripts/fetch_model knows says of drawing from it, and its file does not. path: as
/// resolve_model() gives it; a file is known by its name.
GenerationDefaults card_defaults(const std::string& path);

}  // namespace caravel::format
