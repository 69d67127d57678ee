#pragma once

#include <memory>

#include "voyager/model.h"
#include "voyager/run_store.h"

namespace caravel::voyager {

/// Models that answer as another run's did, whatever they are asked now: for worlds that are not the same twice, where
/// RecordedModels would end at the first prompt that differs.
/// - Tasks, sub-goals and questions come in the order of the record; where there is no further proposal, RecordEnded is
///   thrown. A question that the record has to the word gets its own answer.
/// - Code is what was written for the same task, round by round, and from the record's last round on that round's
/// again.
///   The verdict is the one on that code; where there was none, the last one on the task.
/// - A text has the vector that it had, or a null one.
/// A task that the record never came to gets no code, and fails; a skill that it did not learn is described by its
/// task.
class RecalledModels {
 public:
  /// `now`: the run that asks, which begins. Both must outlive it. Throws InvalidArgument: nothing was begun in
  /// `record`.
  RecalledModels(const RunStore& record, const RunStore& now);
  ~RecalledModels();

  Models models() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caravel::voyager
