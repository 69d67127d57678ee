#pragma once

#include <cstdint>
#include <vector>

#include "caravel/decision.h"
#include "caravel/engine.h"
#include "format/weight_source.h"
#include "model/config.h"

namespace caravel::engine {

/// Where the model runs.
std::vector<Decision> device_decisions(const EngineConfig& config, const ModelInfo& info);

/// What was decided about the text side of a model and its limits, and why, for ModelInfo::decisions. What the model's
/// numbers left open, ModelConfig::decisions has.
std::vector<Decision> text_decisions(const EngineConfig& config, const format::WeightSource& source,
                                     const GenerationDefaults& defaults, const ModelInfo& info);

/// What is not as the files have it because it was asked for: dummy weights, and those that are quantised when they are
/// loaded.
std::vector<Decision> weight_decisions(const EngineConfig& config);

/// Which of a model's two sets of rotary frequencies are taken, where it has two. max_context: what its decoders were
/// made for, in tokens.
std::vector<Decision> rotary_decisions(const model::ModelConfig& config, int64_t max_context);

}  // namespace caravel::engine
