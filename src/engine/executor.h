#pragma once

#include <span>

#include "caravel/stats.h"
#include "engine/step.h"

namespace caravel::engine {

/// Carries steps out, in the order in which they are launched; as many as it was made for may be in flight, launched and
/// not collected. One thread at a time.
///
/// Any call may throw CapacityError and what a device throws: then all steps in flight are lost, and none of them is
/// collected. Of the oldest of them the blocks were moved as planned, but no rows are computed.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Launches the step; the value may change afterwards.
  virtual void launch(const StepInput& input) = 0;
  /// Returns once the newest step's rows are computed: what is to be drawn may wait for masks until then.
  virtual void wait_for_rows() = 0;
  /// Launches the draws of the newest step, where it has any.
  virtual void launch(const DrawInput& input) = 0;
  /// The output of the oldest step in flight; valid until the next call of this class.
  virtual const StepOutput& collect() = 0;

  /// By the thread that will call the others.
  virtual void adopt_thread() {}
  /// The time of all steps, by region; empty where none is taken.
  virtual std::span<const RegionTime> profile() const { return {}; }
};

}  // namespace caravel::engine
