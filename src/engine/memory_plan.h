#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/available_memory.h"
#include "caravel/config.h"
#include "caravel/memory_plan.h"
#include "device/device.h"
#include "model/config.h"

namespace caravel::engine {

/// What a model takes, whatever the machine: by its files' headers (choose_sizes.h).
struct ModelMemory {
  int64_t weights = 0;          // bytes, packed
  std::vector<int64_t> layers;  // of them the matrices of each layer, which may be streamed; none: they may not
  int64_t activations = 0;      // bytes
  int64_t on_cpu = 0;           // bytes: weights and activations of layers that the CPU has beside a GPU
  int64_t cpu_block = 0;        // bytes of a block of their keys and values
  model::KvLayout kv;
  int full_model_len = 0;  // the context that is wished for
};

/// Where an engine may take memory.
struct MemoryRoom {
  AvailableMemory device;
  std::optional<AvailableMemory> host;  // where that is not the device's too
};

/// Of the host where the device's memory is the host's; else config.gpu_memory_utilization of the device's, and the
/// host's beside it.
MemoryRoom memory_room(const Device& device, const EngineConfig& config);

/// The layers of `layers` that are streamed where `count` are: as far from one another as can be, so that each comes
/// while others are computed.
std::vector<size_t> streamed_layers(size_t layers, int count);

/// Divides what is available. Of memory that is the device's alone, layers are streamed from the host's as far as
/// config.weight_offload says: those that leave room for one sequence of full length, where the model does not fit
/// otherwise. Budgets of requests are shares of what weights and activations leave, each bounded. The
/// KV pool is the configuration's; else what max_num_seqs sequences of full length need, but at most a quarter of what
/// is left then, or what one such sequence needs where that is more, but at most seven eighths; of memory that is the
/// device's alone, at most all of it. Where the pool holds no sequence of full length, the context is what it holds.
/// Where the model does not fit, the plan says so.
/// Throws CapacityError with the numbers: config.kv_cache_memory is more than there is, or too little to run with, or
/// the pool does not hold config.max_model_len.
MemoryPlan plan_memory(const MemoryRoom& room, const ModelMemory& model, const EngineConfig& config);

/// The same of an encoder, which has no KV cache: what weights and activations leave is for requests' bodies, and for
/// nothing else.
MemoryPlan plan_encoder_memory(const AvailableMemory& available, int64_t weights, int64_t activations,
                               int max_model_len);

/// Of a model that does not fit: what it needs, part by part, and what there is.
std::string shortage_text(const MemoryPlan& plan);

}  // namespace caravel::engine
