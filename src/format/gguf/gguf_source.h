#pragma once

#include <memory>
#include <string>

#include "format/weight_source.h"

namespace caravel::format {

/// A GGUF file, or all files of a split one by the name of the first (NAME-00001-of-0000N.gguf). Throws as open_weights
/// does.
std::unique_ptr<WeightSource> open_gguf(const std::string& path);

}  // namespace caravel::format
