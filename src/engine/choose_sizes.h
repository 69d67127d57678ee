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
