#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "caravel/monitor.h"

namespace caravel::server::web {

/// Makes the dashboard's events: each holds what is new since the one before, so a reader that is slow gets fewer and
/// larger ones. One thread at a time.
///
///   {"engine": {"now", "resident_bytes", "total_blocks", "used_blocks", "cached_blocks", "prompt_tokens",
///               "cached_tokens", "generated_tokens", "preemptions_recompute", "preemptions_swap", ...},
///    "model": {"name", "weight_bytes", ...},                     in the first event alone
///    "steps": [[number, end, seconds, prefill, decode, waiting, running, swapped], ...],
///    "blocks": [[first, count, owner, references, cached], ...]  runs of equal blocks that changed; at first all of
///                                                                them are [owner -1, references 0, cached 0]
///    "owners": [[number, "request id"], ...]}                    of the requests that hold blocks
class FeedEncoder {
 public:
  /// The last step that was told.
  uint64_t last_step() const { return last_step_; }
  /// JSON, on one line; nothing where nothing changed.
  std::optional<std::string> encode(const EngineReport& report, const ModelInfo& model);

 private:
  uint64_t last_step_ = 0;
  std::vector<BlockReport> blocks_;  // as the reader has them
  Stats stats_;                      // as the reader has them
  bool first_ = true;
};

}  // namespace caravel::server::web
