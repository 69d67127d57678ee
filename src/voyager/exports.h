#pragma once

#include <functional>
#include <string_view>

#include "voyager/run_store.h"

namespace caravel::voyager {

/// Takes a file's bytes, piece by piece.
using Sink = std::function<void(std::string_view)>;

/// events.jsonl: what happened, in order, a JSON object a line by its "type": "skill" (that the run started with), then
/// for each iteration its "step"s with their events, "item"s that were had for the first time, the "skill" that was
/// learnt, and the "iteration" itself, once it has ended. No time but the world's ticks stands in it.
void write_events(const RunStore& run, const Sink& write);

/// calls.jsonl: every question to a model with its answer, in order, a JSON object a line. "number" is the record's,
/// which counts vectors too. "seconds" is the only time.
void write_calls(const RunStore& run, const Sink& write);

}  // namespace caravel::voyager
