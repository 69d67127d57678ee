#include "engine/stages.h"

namespace caravel::engine {

void Stages::launch(const StepInput& input) {
  size_t launched = 0;
  try {
    for (; launched < ranks_.size(); ++launched) {
      ranks_[launched]->launch(input);
      if (launched + 1 < ranks_.size()) ranks_[launched]->wait_for_rows();
    }
  } catch (...) {
    // The step is not collected: those that have launched it forget it.
    for (size_t i = 0; i < launched; ++i) ranks_[i]->collect();
    throw;
  }
}

/// The others draw nothing, and with one step in flight they are told every token.
void Stages::launch(const DrawInput& input) { ranks_.back()->launch(input); }

const StepOutput& Stages::collect() {
  for (size_t i = 0; i + 1 < ranks_.size(); ++i) ranks_[i]->collect();
  return ranks_.back()->collect();
}

void Stages::adopt_thread() {
  for (Rank* rank : ranks_) rank->adopt_thread();
}

}  // namespace caravel::engine
