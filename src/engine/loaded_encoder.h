#pragma once

#include <memory>

#include "caravel/config.h"
#include "caravel/engine.h"
#include "caravel/tokenizer.h"
#include "device/device.h"
#include "engine/load_hooks.h"
#include "format/weight_source.h"
#include "model/encoder.h"

namespace caravel::engine {

/// An encoder in memory, ready to run. Its files are closed.
struct LoadedEncoder {
  std::unique_ptr<Device> device;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<model::Encoder> encoder;
  ModelInfo info;
};

/// What an engine of it would say of its model, from the files' headers alone. Throws as describe_model().
ModelInfo describe_encoder(const EngineConfig& config, const format::WeightSource& source);

/// Throws what Engine::open() throws.
LoadedEncoder load_encoder(const EngineConfig& config, const format::WeightSource& source, const LoadHooks& hooks = {});

}  // namespace caravel::engine
