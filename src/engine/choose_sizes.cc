#include "engine/choose_sizes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "device/open_device.h"
#include "engine/check_request.h"
#include "model/layer_stream.h"

namespace caravel::engine {
namespace {

void check_range(std::string_view name, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) {
    throw fail<InvalidArgument>("{} is {}; it must be {} to {}", name, value, low, high);
  }
}

void check_seconds(std::string_view name, double value, std::string_view zero_means) {
  if (!(value >= 0) || std::isinf(value)) {
    throw fail<InvalidArgument>("{} is {}; it must be 0 ({}) or more seconds", name, value, zero_means);
  }
}

}  // namespace

void check_config(const EngineConfig& config) {
  constexpr int64_t kMany = int64_t{1} << 20;
  constexpr int64_t kBytes = std::numeric_limits<int64_t>::max();
  check_device(config.device);
  if (!(config.gpu_memory_utilization > 0 && config.gpu_memory_utilization <= 1)) {
    throw fail<InvalidArgument>("gpu_memory_utilization is {}; it must be more than 0, and at most 1",
                                config.gpu_memory_utilization);
  }
  check_range("threads", config.threads, 0, 1024);
  check_range("max_model_len", config.max_model_len, 0, std::numeric_limits<int>::max());
  check_range("kv_cache_memory", config.kv_cache_memory, 0, kBytes);
  check_range("max_num_seqs", config.max_num_seqs, 0, kMany);
  check_range("max_num_batched_tokens", config.max_num_batched_tokens, 0, kMany);
  check_range("weight_offload", config.weight_offload, kOffloadAuto, kBytes);
  check_range("n_gpu_layers", config.n_gpu_layers, -1, kMany);
  check_range("swap_space", config.swap_space, 0, kBytes);
  check_range("block_size", config.block_size, 8, 128);
  check_seconds("max_time_between_tokens", config.max_time_between_tokens, "no bound");
  check_seconds("priority_ageing", config.priority_ageing, "priorities alone count");
  if (!config.dummy_dtype.empty() && config.load_format != LoadFormat::kDummy) {
    throw fail<InvalidArgument>("dummy_dtype is {}, and the weights are not dummy ones: load_format must be dummy",
                                config.dummy_dtype);
  }
  if (!std::has_single_bit(static_cast<unsigned>(config.block_size))) {
    throw fail<InvalidArgument>("block_size is {}; it must be a power of two, 8 to 128", config.block_size);
  }
}

EngineConfig with_step_sizes(EngineConfig config, const Device& device) {
  if (config.max_num_seqs == 0) config.max_num_seqs = device.unified() ? 64 : 256;
  if (config.max_num_batched_tokens == 0) config.max_num_batched_tokens = device.unified() ? 512 : 2048;
  return config;
}

kernels::KvDtype kv_dtype_of(KvCacheDtype dtype) {
  switch (dtype) {
    case KvCacheDtype::kF32:
      return kernels::KvDtype::kF32;
    case KvCacheDtype::kF16:
      return kernels::KvDtype::kF16;
    case KvCacheDtype::kBf16:
      return kernels::KvDtype::kBF16;
    case KvCacheDtype::kInt8:
      return kernels::KvDtype::kInt8;
    case KvCacheDtype::kFp8:
      return kernels::KvDtype::kFp8;
  }
  throw fail<InvalidArgument>("kv_cache_dtype is {}, which is none of KvCacheDtype's", static_cast<int>(dtype));
}

int wanted_max_model_len(const EngineConfig& config, int max_position, int usual) {
  if (config.max_model_len == 0) return std::min(max_position, usual);
  if (config.max_model_len > max_position) {
    throw fail<InvalidArgument>("max_model_len is {}; the model was made for contexts of up to {} tokens",
                                config.max_model_len, max_position);
  }
  return config.max_model_len;
}

constexpr int kUsualContext = 8192;  // tokens

ModelMemory model_memory(Device& device, const model::ModelConfig& model, const model::WeightLayout& weights,
                         const EngineConfig& config) {
  ModelMemory memory{.weights = static_cast<int64_t>(weights.bytes),
                     .kv = model::kv_layout(device, model, config.block_size, kv_dtype_of(config.kv_cache_dtype)),
                     .full_model_len = wanted_max_model_len(config, model.max_position, kUsualContext)};
  for (const model::LayerLayout& layer : weights.layers) {
    memory.layers.push_back(static_cast<int64_t>(model::matrix_bytes(layer)));
  }
  const size_t decoder =
      model::Decoder::activation_bytes(device, model, weights, config.max_num_batched_tokens, memory.full_model_len);
  const size_t steps =
      Rank::bytes_for(device, model, memory.kv, config.block_size, rank_sizes(config, memory.full_model_len));
  memory.activations = static_cast<int64_t>(decoder + steps);
  return memory;
}

Sizes choose_sizes(const EngineConfig& config, const ModelMemory& memory, const MemoryPlan& plan) {
  constexpr int64_t kMost = int64_t{1} << 30;  // block ids are 32 bits
  return {.max_model_len = plan.max_model_len,
          .kv_dtype = kv_dtype_of(config.kv_cache_dtype),
          .blocks = static_cast<int>(std::min(plan.kv_cache / memory.kv.block_bytes(), kMost)),
          .host_blocks = static_cast<int>(std::min(plan.swap / (memory.kv.block_bytes() + memory.cpu_block), kMost))};
}

Rank::Sizes rank_sizes(const EngineConfig& config, int max_model_len) {
  return {.max_tokens = config.max_num_batched_tokens,
          .max_rows = config.max_num_seqs,
          .slots = config.max_num_seqs,
          .max_model_len = max_model_len,
          .profile = config.profile};
}

}  // namespace caravel::engine
