#pragma once

#include <string>
#include <vector>

#include "voyager/environment.h"
#include "voyager/run_store.h"

namespace caravel::voyager {

/// One self-contained page of a run: unique items over iterations, tech tree, map travelled, skills with code and
/// reuse, every prompt and answer, cost, the critic's accuracy. `map`: what was seen, or empty.
/// Prompts and answers beyond `most_bytes` of the page are named and left to calls.jsonl: a browser is to open it.
std::string report_page(const RunStore& run, const MapImage& map, size_t most_bytes = size_t{64} << 20);

/// The map with the way that the player went, as a PNG. map: not empty.
std::string map_png(const RunStore& run, const MapImage& map);

/// Runs side by side: items by iteration, tiers, cost, the critic's accuracy.
struct ComparedRun {
  std::string name;
  const RunStore* run;
};
std::string compare_page(const std::vector<ComparedRun>& runs);
/// The same as plain text for a terminal.
std::string compare_text(const std::vector<ComparedRun>& runs);

}  // namespace caravel::voyager
