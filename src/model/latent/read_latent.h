#pragma once

#include "model/config_reader.h"

namespace caravel::model {

/// Reads how the architecture's keys and values are compressed (config.latent), and what follows from it: the key of
/// one KV head that is cached. Nothing of an architecture without. Throws FormatError and Unsupported.
void read_latent(const ConfigReader& reader, const Architecture& architecture, ModelConfig& config);

}  // namespace caravel::model
