#pragma once

#include <span>

#include "caravel/stats.h"
#include "engine/step.h"

namespace caravel::engine {

/// Carries steps out, in the order in which they are launched: as many may be in flight, launched and not collected, as
/// it was made for. One thread at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Launches the step and does not wait for it; the value may change afterwards. Throws CapacityError and what a
  /// device throws: then the blocks were moved as planned, but what the step's rows were to write is not there, and the
  /// step is not collected. Steps before it are not touched.
  virtual void launch(const StepInput& input) = 0;
  /// Returns once the newest step's rows are computed: what is to be drawn may wait for masks until then.
  virtual void wait_for_rows() = 0;
  /// Launches the draws of the newest step, where it has any. Throws as above: no slot and no kept logits that it names
  /// may be used again before they are begun or kept anew.
  virtual void launch(const DrawInput& input) = 0;
  /// Waits for the oldest step in flight, and for no later one. Its output is valid until the next call of this class.
  /// Throws what a device throws: then all steps in flight are lost, and none of them is collected. After a DeviceLost,
  /// here or above, nothing is launched any more.
  virtual const StepOutput& collect() = 0;

  /// There is nothing to launch for now.
  virtual void rest() {}
  /// By the thread that will call the others.
  virtual void adopt_thread() {}
  /// The time of all steps, by region; empty where none is taken.
  virtual std::span<const RegionTime> profile() const { return {}; }
};

}  // namespace caravel::engine
