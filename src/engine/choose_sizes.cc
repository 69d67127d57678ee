#include "engine/choose_sizes.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/error.h"

namespace caravel::engine {
namespace {

void check_range(std::string_view name, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) {
    throw fail<InvalidArgument>("{} is {}; it must be {} to {}", name, value, low, high);
  }
}

/// Blocks that one sequence of `tokens` holds at most, over all groups.
int64_t blocks_of_sequence(const model::KvLayout& layout, int64_t tokens, int64_t chunk, int64_t block_size) {
  const int64_t all = (tokens + block_size - 1) / block_size;
  int64_t sum = 0;
  for (const model::KvGroup& group : layout.groups) {
    const int64_t windowed = (group.window + chunk + block_size - 1) / block_size + 1;
    sum += group.window == 0 ? all : std::min(all, windowed);
  }
  return sum;
}

}  // namespace

void check_config(const EngineConfig& config) {
  constexpr int64_t kMany = int64_t{1} << 20;
  constexpr int64_t kBytes = std::numeric_limits<int64_t>::max();
  check_range("threads", config.threads, 0, 1024);
  check_range("max_model_len", config.max_model_len, 0, std::numeric_limits<int>::max());
  check_range("kv_cache_memory", config.kv_cache_memory, 0, kBytes);
  check_range("max_num_seqs", config.max_num_seqs, 1, kMany);
  check_range("max_num_batched_tokens", config.max_num_batched_tokens, 1, kMany);
  check_range("swap_space", config.swap_space, 0, kBytes);
  check_range("block_size", config.block_size, 8, 128);
  if (!(config.max_time_between_tokens >= 0)) {
    throw fail<InvalidArgument>("max_time_between_tokens is {}; it must be 0 (no bound) or more seconds",
                                config.max_time_between_tokens);
  }
  if (!std::has_single_bit(static_cast<unsigned>(config.block_size))) {
    throw fail<InvalidArgument>("block_size is {}; it must be a power of two, 8 to 128", config.block_size);
  }
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
  }
  throw fail<InvalidArgument>("kv_cache_dtype is {}, which is none of KvCacheDtype's", static_cast<int>(dtype));
}

int choose_max_model_len(const EngineConfig& config, const model::ModelConfig& model) {
  constexpr int kDefault = 8192;
  if (config.max_model_len == 0) return std::min(model.max_position, kDefault);
  if (config.max_model_len > model.max_position) {
    throw fail<InvalidArgument>("max_model_len is {}; the model was made for contexts of up to {} tokens",
                                config.max_model_len, model.max_position);
  }
  return config.max_model_len;
}

void choose_blocks(const EngineConfig& config, const model::KvLayout& layout, size_t memory_available, Sizes& sizes) {
  const int64_t block_bytes = layout.block_bytes();
  const int64_t one = blocks_of_sequence(layout, sizes.max_model_len, config.max_num_batched_tokens, config.block_size);
  int64_t memory = config.kv_cache_memory;
  if (memory == 0) {
    // One block more, and a hundredth: what the scheduler keeps free when it admits.
    const int64_t wanted = (one * config.max_num_seqs) + (one * config.max_num_seqs) / 64 + 1;
    memory = std::min(wanted * block_bytes, static_cast<int64_t>(memory_available / 4));
  }
  constexpr int64_t kMost = int64_t{1} << 30;  // block ids are 32 bits
  const int64_t blocks = std::min(memory / block_bytes, kMost);
  const auto least = static_cast<int64_t>(2 * layout.groups.size());
  if (blocks < least) {
    throw fail<CapacityError>(
        "{} bytes for the KV cache hold {} blocks of {} bytes; at least {} are needed: give kv_cache_memory {} bytes "
        "or "
        "more",
        memory, blocks, block_bytes, least, least * block_bytes);
  }
  if (config.kv_cache_memory != 0 && static_cast<uint64_t>(memory) > memory_available) {
    throw fail<CapacityError>("kv_cache_memory is {} MiB; {} MiB of memory are available", memory >> 20,
                              memory_available >> 20);
  }
  sizes.blocks = static_cast<int>(blocks);
  sizes.host_blocks = static_cast<int>(std::min(config.swap_space / block_bytes, kMost));
}

}  // namespace caravel::engine
