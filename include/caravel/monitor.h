#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "caravel/stats.h"

namespace caravel {

/// One step of the engine, as people watch it.
struct StepReport {
  uint64_t number = 0;     // 1, 2, ...
  double end = 0;          // seconds since the engine was opened
  double seconds = 0;      // that it took
  int prefill_tokens = 0;  // prompts' tokens, and those that a preemption by recompute lost
  int decode_tokens = 0;
  int waiting = 0, running = 0, swapped = 0;  // requests, after it
};

/// What one block of the KV pool holds.
struct BlockReport {
  int64_t owner = -1;  // a request's number; -1: in nobody's table. Of several that share it, the one that came first
  int32_t references = 0;
  bool cached = false;  // in the prefix index: may be found again, and will be when nobody holds it any more

  bool operator==(const BlockReport&) const = default;
};

/// What the engine does now.
struct EngineReport {
  Stats stats;
  double now = 0;                   // seconds since the engine was opened
  std::vector<StepReport> steps;    // in order; the last 512 at most
  std::vector<BlockReport> blocks;  // [total_blocks]; empty: not looked at yet
  struct Owner {
    int64_t number = 0;
    std::string id;  // the request's
  };
  std::vector<Owner> owners;  // whom the blocks belong to
};

/// An engine from inside, for those who watch it or look for a bug in it. Engine::monitor() gives it; it lives as long
/// as the engine. Any thread may call any method.
class EngineMonitor {
 public:
  virtual ~EngineMonitor() = default;
  /// The steps after number `since_step` (0: all that are kept) and the block map. Returns at once: while the engine
  /// steps, the map is of the last step boundary after the call before, so ask every fraction of a second; who asks
  /// only once may get none, or an old one. Costs the engine nothing while nobody asks.
  virtual EngineReport report(uint64_t since_step) const = 0;
  /// Waits until nothing runs, then checks every invariant of the block pool (reference counts, free list, prefix
  /// index); aborts with what does not add up. Debug builds do it whenever the engine falls idle.
  virtual void check_integrity() = 0;
};

}  // namespace caravel
