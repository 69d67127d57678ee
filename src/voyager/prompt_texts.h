#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "voyager/run_rows.h"

namespace caravel::voyager {

// What is known at the time, as prompts say it.

/// Which parts of an observation a prompt shows.
struct ShownParts {
  bool biome = true, time = true, blocks = true, entities = true, health = true, food = true;
  bool all_items = true;  // of the inventory; else what tools are made of, and tools
};
/// What the curriculum is shown grows with the tasks that were done (Wang et al., 2023, appendix A.3: warm-up); what
/// has come in is left out one time in five, for variety.
ShownParts warm_up(int64_t completed, uint64_t seed, int64_t iteration);
/// From so many completed tasks on, the curriculum asks questions.
inline constexpr int64_t kQuestionsFrom = 15;

std::string observation_text(const Observation& observation, const ShownParts& shown = {});
/// "oak_log +2, dirt -1"; "nothing".
std::string changes_text(const Observation& before, const Observation& after);
/// "oak_log: 2, stick: 4"; "nothing".
std::string items_text(const std::map<std::string, int>& items);
/// The last `most` of them, with commas; "none".
std::string tasks_text(const std::vector<std::string>& tasks, size_t most);
/// What was said and suffered, a line each, the last `most`; "nothing".
std::string events_text(const std::vector<Event>& events, size_t most);
/// The message, where it was, the text of that line where it is of `code`, and the calls that led there; "none".
std::string error_text(const std::optional<CodeError>& error, std::string_view code);
/// At most `most` bytes of whole lines from its beginning, with a note of what is missing.
std::string shortened(std::string_view text, size_t most);

}  // namespace caravel::voyager
