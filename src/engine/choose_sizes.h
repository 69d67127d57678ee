#pragma once

#include <cstddef>

#include "caravel/config.h"
#include "engine/loaded_model.h"
#include "model/config.h"

namespace caravel::engine {

/// Throws InvalidArgument for a number that makes no sense whatever the model: name, value and range.
void check_config(const EngineConfig& config);

/// Throws InvalidArgument for a number that is none of the enum's.
kernels::KvDtype kv_dtype_of(KvCacheDtype dtype);

/// Throws InvalidArgument for one that is longer than the model was made for.
int choose_max_model_len(const EngineConfig& config, const model::ModelConfig& model);

/// Fills in `blocks` and `host_blocks`. memory_available: bytes, once the weights are in memory. Throws CapacityError
/// when the memory holds too little to run at all.
void choose_blocks(const EngineConfig& config, const model::KvLayout& layout, size_t memory_available, Sizes& sizes);

}  // namespace caravel::engine
