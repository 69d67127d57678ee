#pragma once

#include "caravel/config.h"
#include "caravel/memory_plan.h"
#include "engine/loaded_model.h"
#include "engine/memory_plan.h"
#include "engine/rank.h"
#include "model/config.h"
#include "model/weight_layout.h"

namespace caravel::engine {

/// Throws InvalidArgument for a number that makes no sense whatever the model: name, value and range.
void check_config(const EngineConfig& config);

/// The configuration with a step's sizes, where it leaves them to the device. A GPU's weights are read once for a whole
/// step, and 2,048 tokens keep its tensor cores as busy as 8,192 (docs/performance-gpu.md), in a quarter of the memory
/// and of the time that others wait.
EngineConfig with_step_sizes(EngineConfig config, const Device& device);

/// Throws InvalidArgument for a number that is none of the enum's.
kernels::KvDtype kv_dtype_of(KvCacheDtype dtype);

/// The context that is wished for: the configuration's, else `usual`, both in tokens. Throws InvalidArgument for one
/// that is longer than the model was made for.
int wanted_max_model_len(const EngineConfig& config, int max_position, int usual);

/// What the model takes under this configuration.
ModelMemory model_memory(Device& device, const model::ModelConfig& model, const model::WeightLayout& weights,
                         const EngineConfig& config);

Sizes choose_sizes(const EngineConfig& config, const ModelMemory& memory, const MemoryPlan& plan);

Rank::Sizes rank_sizes(const EngineConfig& config, int max_model_len);

}  // namespace caravel::engine
