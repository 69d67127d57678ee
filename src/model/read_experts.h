#pragma once

#include "model/config_reader.h"

namespace caravel::model {

/// Fills in `experts` and which of `layers` are routed, where the architecture has a rule and the source experts.
/// intermediate_size is there. Throws FormatError for numbers that make no sense together (with all of them).
void read_experts(const ConfigReader& reader, const Architecture& architecture, ModelConfig& config);

}  // namespace caravel::model
