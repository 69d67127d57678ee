#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace caravel {

/// One part of the steps' work, such as "gate and up", on all ranks together.
struct RegionTime {
  const char* name = "";  // static
  int64_t runs = 0;
  double seconds = 0;
  double bytes = 0;  // read from memory, by what the sizes say; 0 where nobody said
  double macs = 0;   // multiply-adds, by the sizes too
};

/// What is timed of steps, for Stats::regions.
enum class Profile : uint8_t {
  kNone,
  kSteps,    // "step", and "between steps": what the device waits for whoever gives it steps, while there is work.
             // Neither where the device is the host itself
  kRegions,  // every part of their work; a GPU takes longer then, since its decode steps are not replayed whole
};

inline constexpr const char* kStepRegion = "step";
inline constexpr const char* kBetweenStepsRegion = "between steps";

/// What the engine does now and has done since it was opened. Every prefix of a score counts as a request.
struct Stats {
  int waiting_requests = 0;
  int running_requests = 0;
  int swapped_requests = 0;

  int64_t total_blocks = 0;   // in the pool
  int64_t used_blocks = 0;    // held by sequences
  int64_t cached_blocks = 0;  // free, but still hold a prefix that may be found
  int block_size = 0;         // tokens

  int64_t steps = 0;
  int64_t computed_tokens = 0;  // rows of all steps, whatever they were for
  int64_t prompt_tokens = 0;    // of them, prompts' (a score's prefix)
  int64_t cached_tokens = 0;    // found in the prefix cache instead
  int64_t generated_tokens = 0;
  int64_t preemptions_recompute = 0;
  int64_t preemptions_swap = 0;
  int64_t finished_requests = 0;
  int64_t cancelled_requests = 0;

  // Sums over steps; reserved_unused / reserved is the share of the KV memory that was reserved and held no token.
  int64_t kv_slots_reserved = 0;
  int64_t kv_slots_reserved_unused = 0;

  /// Why nothing is computed any more (DeviceLost): all requests end with it. Empty: all is well.
  std::string device_error;

  double busy_seconds = 0;          // spent in steps
  std::vector<RegionTime> regions;  // where the time went, with EngineConfig::profile
};

}  // namespace caravel
