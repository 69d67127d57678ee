#pragma once

#include <cstdint>

#include "base/available_memory.h"
#include "caravel/config.h"
#include "caravel/memory_plan.h"
#include "model/config.h"

namespace caravel::engine {

/// What a model takes, whatever the machine.
struct ModelMemory {
  int64_t weights = 0;      // bytes, packed
  int64_t activations = 0;  // bytes
  model::KvLayout kv;
  int full_model_len = 0;  // the context that is wished for
};

/// Divides what is available. Budgets of requests are shares of what weights and activations leave, each bounded. The
/// KV pool is the configuration's; else what max_num_seqs sequences of full length need, but at most a quarter of what
/// is left then, or what one such sequence needs where that is more, but at most seven eighths. Where the pool holds no
/// sequence of full length, the context is what it holds.
/// Throws CapacityError with the numbers: nothing is left to run with, config.kv_cache_memory is more than there is, or
/// the pool does not hold config.max_model_len.
MemoryPlan plan_memory(const AvailableMemory& available, const ModelMemory& model, const EngineConfig& config);

}  // namespace caravel::engine
