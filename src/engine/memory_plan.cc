#include "engine/memory_plan.h"

#include <algorithm>

#include "base/error.h"
#include "cache/capacity.h"
#include "model/layer_stream.h"

namespace caravel::engine {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
/// A server of the default model without its weights, activations and pool, after some hours of mixed requests.
constexpr int64_t kProgram = 48 * kMebibyte;
/// What requests of ordinary servers never come near: odd ones have no more of a large machine than of a small one.
constexpr int64_t kMostBudget = 256 * kMebibyte;
constexpr int64_t kMostBodies = 2048 * kMebibyte;  // the longest body that a server takes by default, worked on

cache::Capacity capacity_of(const model::KvLayout& layout, const EngineConfig& config, int64_t bytes) {
  cache::Capacity capacity{.block_size = config.block_size, .blocks = bytes / layout.block_bytes(), .windows = {}};
  for (const model::KvGroup& group : layout.groups) capacity.windows.push_back(group.window);
  return capacity;
}

/// Blocks that one sequence of `tokens` holds at most, over all groups, where its prompt comes in whole chunks.
int64_t comfortable_blocks(const model::KvLayout& layout, int64_t tokens, const EngineConfig& config) {
  const int64_t all = (tokens + config.block_size - 1) / config.block_size;
  int64_t sum = 0;
  for (const model::KvGroup& group : layout.groups) {
    const int64_t windowed =
        (group.window + config.max_num_batched_tokens + config.block_size - 1) / config.block_size + 1;
    sum += group.window == 0 ? all : std::min(all, windowed);
  }
  return sum;
}

int64_t choose_kv_cache(const ModelMemory& model, const MemoryPlan& plan, const EngineConfig& config) {
  const int64_t left = plan.left();
  const int64_t one = comfortable_blocks(model.kv, model.full_model_len, config);
  // One block more, and a hundredth: what the scheduler keeps free when it admits.
  const int64_t wanted = one * config.max_num_seqs + one * config.max_num_seqs / 64 + 1;
  const int64_t block = model.kv.block_bytes();
  if (plan.apart()) return std::min(wanted * block, left);
  return std::min(wanted * block, std::max(left / 4, std::min((one + one / 64 + 1) * block, left / 8 * 7)));
}

/// The plan with so many layers streamed.
void stream_layers(const ModelMemory& model, int count, MemoryPlan& plan) {
  plan.streamed_layers = count;
  plan.streamed = 0;
  int64_t largest = 0;
  for (const size_t layer : streamed_layers(model.layers.size(), count)) {
    plan.streamed += model.layers[layer];
    largest = std::max(largest, model.layers[layer]);
  }
  plan.weights = model.weights - plan.streamed +
                 static_cast<int64_t>(model::LayerStream::slot_bytes(static_cast<size_t>(count), largest));
}

void choose_streamed(const ModelMemory& model, const EngineConfig& config, MemoryPlan& plan) {
  if (!plan.apart() || model.layers.empty()) return;
  const bool automatic = config.weight_offload == kOffloadAuto;
  if (automatic ? plan.fits() : config.weight_offload == 0) return;
  const int64_t kv_cache = std::max(plan.kv_least, config.kv_cache_memory != 0 ? config.kv_cache_memory : plan.kv_full);
  const auto all = static_cast<int>(model.layers.size());
  // An even number: then the slots take turns from pass to pass too.
  for (int count = std::min(all, 4); plan.streamed_layers < all; count = std::min(all, count + 2)) {
    stream_layers(model, count, plan);
    if (automatic ? plan.needed() - plan.kv_least + kv_cache <= plan.available
                  : plan.streamed >= config.weight_offload) {
      return;
    }
  }
}

/// Each block of the pool has its part of the CPU's layers in the host's memory.
void add_cpu_blocks(const ModelMemory& model, int64_t least, const EngineConfig& config, MemoryPlan& plan) {
  const int64_t block = model.kv.block_bytes();
  const int64_t most = least + std::max<int64_t>(0, plan.host_left()) / model.cpu_block;
  if (config.kv_cache_memory / block > most) {
    throw fail<CapacityError>(
        "kv_cache_memory is {} MiB, which hold {} blocks, of which the CPU's layers take {} each; the host's memory "
        "has "
        "room for {} of them ({})",
        config.kv_cache_memory / kMebibyte, config.kv_cache_memory / block, memory_text(model.cpu_block), most,
        plan.host_bound_by);
  }
  plan.kv_cache = std::min(plan.kv_cache, most * block);
  plan.cpu_layers = model.on_cpu + plan.kv_cache / block * model.cpu_block;
}

}  // namespace

std::vector<size_t> streamed_layers(size_t layers, int count) {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) chosen.push_back(i * layers / static_cast<size_t>(count));
  return chosen;
}

MemoryRoom memory_room(const Device& device, const EngineConfig& config) {
  if (device.unified()) return {.device = available_memory()};
  const auto free = static_cast<double>(device.memory_available());
  return {.device = {.bytes = static_cast<int64_t>(free * config.gpu_memory_utilization),
                     .bound_by = fmt::format("{:.4g}% of what is free on {}", 100 * config.gpu_memory_utilization,
                                             device.name())},
          .host = available_memory()};
}

MemoryPlan plan_memory(const MemoryRoom& room, const ModelMemory& model, const EngineConfig& config) {
  const AvailableMemory& available = room.device;
  const int64_t block = model.kv.block_bytes();
  const int64_t full_blocks =
      capacity_of(model.kv, config, 0).worst_case_blocks(model.full_model_len, model.full_model_len, 1);
  const auto least = static_cast<int64_t>(2 * model.kv.groups.size());
  MemoryPlan plan{.available = available.bytes,
                  .bound_by = available.bound_by,
                  .host_available = room.host ? room.host->bytes : 0,
                  .host_bound_by = room.host ? room.host->bound_by : "",
                  .weights = model.weights,
                  .activations = model.activations,
                  .program = kProgram,
                  .kv_least = least * block,
                  .kv_full = full_blocks * block,
                  .full_model_len = model.full_model_len,
                  .max_model_len = model.full_model_len};
  plan.cpu_layers = model.on_cpu + least * model.cpu_block;
  choose_streamed(model, config, plan);
  if (!plan.fits()) return plan;
  const int64_t rest = plan.left();
  if (config.kv_cache_memory > rest) {
    throw fail<CapacityError>("kv_cache_memory is {} MiB; {} MiB of memory are available for it ({})",
                              config.kv_cache_memory / kMebibyte, rest / kMebibyte, available.bound_by);
  }
  const int64_t spare = plan.apart() ? std::max<int64_t>(0, plan.host_left()) : rest - config.kv_cache_memory;
  plan.bodies = std::min(kMostBodies, spare / 8);
  plan.grammars = plan.logprobs = std::min(kMostBudget, spare / 8);
  plan.swap = std::min(config.swap_space, spare / 8);
  plan.kv_cache = config.kv_cache_memory != 0 ? config.kv_cache_memory : choose_kv_cache(model, plan, config);
  if (model.cpu_block > 0) add_cpu_blocks(model, least, config, plan);
  if (plan.kv_cache < least * block) {
    throw fail<CapacityError>(
        "kv_cache_memory is {} bytes, which hold {} blocks of {} bytes; at least {} are needed: give {} bytes or more",
        plan.kv_cache, plan.kv_cache / block, block, least, least * block);
  }
  plan.max_model_len =
      static_cast<int>(capacity_of(model.kv, config, plan.kv_cache).most_tokens(1, 1, model.full_model_len));
  if (config.max_model_len != 0 && plan.lowers_context()) {
    throw fail<CapacityError>(
        "max_model_len is {}, for which the KV cache needs {}; it has {}, which hold {} tokens ({} are available: {}): "
        "lower it, store keys and values in fewer bits, or give the KV cache more memory",
        config.max_model_len, memory_text(plan.kv_full), memory_text(plan.kv_cache), plan.max_model_len,
        memory_text(available.bytes), available.bound_by);
  }
  return plan;
}

MemoryPlan plan_encoder_memory(const AvailableMemory& available, int64_t weights, int64_t activations,
                               int max_model_len) {
  MemoryPlan plan{.available = available.bytes,
                  .bound_by = available.bound_by,
                  .weights = weights,
                  .activations = activations,
                  .program = kProgram,
                  .full_model_len = max_model_len,
                  .max_model_len = max_model_len};
  if (plan.fits()) plan.bodies = std::min(kMostBodies, plan.left() / 8);
  return plan;
}

std::string shortage_text(const MemoryPlan& plan) {
  if (!plan.host_fits()) {
    return fmt::format(
        "the host's memory has {} ({}), and would hold {} of streamed layers, {} of the CPU's and {} of the program",
        memory_text(plan.host_available), plan.host_bound_by, memory_text(plan.streamed), memory_text(plan.cpu_layers),
        memory_text(plan.program));
  }
  const std::string streamed =
      plan.streamed == 0 ? "" : fmt::format(" beside {} that are streamed from the host", memory_text(plan.streamed));
  const std::string program = plan.apart() ? "" : fmt::format("the program {}, ", memory_text(plan.program));
  return fmt::format(
      "the model needs {} of memory, and {} are available ({}): its weights take {}{}, a step {}, {}the smallest KV "
      "cache {}",
      memory_text(plan.needed()), memory_text(plan.available), plan.bound_by, memory_text(plan.weights), streamed,
      memory_text(plan.activations), program, memory_text(plan.kv_least));
}

}  // namespace caravel::engine
