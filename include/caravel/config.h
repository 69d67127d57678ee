#pragma once

#include <cstdint>
#include <string>

namespace caravel {

enum class Preemption : uint8_t { kAuto, kRecompute, kSwap };
enum class SchedulingPolicy : uint8_t { kFcfs, kPriority };

/// What an engine is opened with. Zero means: chosen from the model and the machine.
struct EngineConfig {
  std::string model;            // path or name (format/model_path.h); empty: the default model
  int threads = 0;              // 0: the processors this process may use
  std::string isa = "auto";     // portable, avx2, avx512vnni, avx512amx
  int max_model_len = 0;        // tokens of a sequence, prompt and answer; 0: the model's, at most 8,192
  int64_t kv_cache_memory = 0;  // bytes; 0: what max_num_seqs sequences of max_model_len need, at most a quarter of
                                // the memory that is free
  std::string kv_cache_dtype = "f16";  // f32, f16, bf16, int8 (half of f16; see kernels/kv_cache.h)
  int max_num_seqs = 64;               // sequences in one step
  int max_num_batched_tokens = 512;    // tokens in one step: the budget that prefill chunks and decode share
  double max_time_between_tokens = 0;  // seconds that running sequences may wait while prompts come in; 0: no bound
  int block_size = 16;                 // tokens; a power of two, 8 to 128
  bool enable_prefix_caching = true;
  SchedulingPolicy policy = SchedulingPolicy::kFcfs;
  Preemption preemption = Preemption::kAuto;
  int64_t swap_space = int64_t{256} << 20;  // bytes of host memory for preempted blocks
  bool profile = false;                     // time every region of the steps: Stats::regions
  uint64_t seed = 0;                        // of requests that bring none; 0: from the system's entropy
};

}  // namespace caravel
