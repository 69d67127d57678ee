#pragma once

#include <cstdint>
#include <vector>

#include "engine/step.h"
#include "scheduler/plan.h"

namespace caravel::engine {

/// Writes plans as steps. Knows which sequences' block tables stand in the executor's slots, so that what changed since
/// is told alone.
class StepBuilder {
 public:
  /// slots: at least the rows of a step.
  StepBuilder(int slots, int block_size) : block_size_(block_size), slots_(static_cast<size_t>(slots)) {}

  /// Fills an empty input, but for what tasks want.
  void fill(const scheduler::Plan& plan, StepInput& input);

 private:
  struct Slot {
    uint64_t sequence = 0;
    uint64_t filling = 0;  // KvSequence::filling of what was told
    int told = 0;          // entries
    uint64_t step = 0;     // the last one that had a row of it; 0: none
  };

  int slot_of(scheduler::Sequence& sequence, uint64_t step);
  void tell_entries(const scheduler::Row& row, StepInput& input);

  const int block_size_;
  std::vector<Slot> slots_;
  size_t next_ = 0;  // where the search for a slot begins
};

}  // namespace caravel::engine
