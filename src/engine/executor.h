#pragma once

#include <span>

#include "caravel/stats.h"
#include "engine/step.h"

namespace caravel::engine {

/// Carries steps out, in the order in which they are launched. One thread at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Launches the step; the value may change afterwards. Throws CapacityError and what a device throws: then the blocks
  /// were moved as planned, but the rows are not computed, and the step is not collected.
  virtual void launch(const StepInput& input) = 0;
  /// Returns once the last step's rows are computed: what is to be drawn may wait for masks until then.
  virtual void wait_for_rows() = 0;
  /// Launches the draws of the last step. Throws as above.
  virtual void launch(const DrawInput& input) = 0;
  /// The output of the oldest step that was launched and not collected; valid until the next call of this class.
  virtual const StepOutput& collect() = 0;

  /// By the thread that will call the others.
  virtual void adopt_thread() {}
  /// The time of all steps, by region; empty where none is taken.
  virtual std::span<const RegionTime> profile() const { return {}; }
};

}  // namespace caravel::engine
