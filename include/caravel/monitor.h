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
  int prefill_tokens = 0;  // of prompts, and of what a preemption by recompute lost
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
struct Monitor {
  Stats stats;
  double now = 0;                   // seconds since the engine was opened
  std::vector<StepReport> steps;    // in order; the last 512 at most
  std::vector<BlockReport> blocks;  // [total_blocks]; empty: not looked at yet
  struct Owner {
    int64_t number = 0;
    std::string id;  // the request's; empty for scores and embeddings
  };
  std::vector<Owner> owners;  // of the blocks
};

}  // namespace caravel
