#pragma once

#include <string>

#include "format/weight_source.h"

namespace caravel::format {

/// What tells a model's weights from those of another, or of the same name after training: 32 hexadecimal digits over
/// its configuration and each weight's name, type, shape, and samples of its data (its beginning, middle and end).
/// Reads some kilobytes a weight. Throws IoError.
std::string fingerprint(const WeightSource& source);

}  // namespace caravel::format
