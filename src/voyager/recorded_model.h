#pragma once

#include <cstdint>
#include <memory>

#include "voyager/model.h"
#include "voyager/run_store.h"

namespace caravel::voyager {

/// The record that is replayed has no answer any more: that run ended there.
class RecordEnded : public ModelError {
 public:
  using ModelError::ModelError;
};

/// Models that answer from another run's record, call by call in its order, as its own did to the byte. A prompt that
/// is not the recorded one is refused (InvalidArgument), with the place where they part.
class RecordedModels {
 public:
  /// done: numbers that the new run has already. `run` must outlive it. Throws InvalidArgument: nothing was begun
  /// there.
  RecordedModels(const RunStore& run, int64_t done);
  ~RecordedModels();

  Models models() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caravel::voyager
