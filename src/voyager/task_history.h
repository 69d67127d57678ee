#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "voyager/run_rows.h"

namespace caravel::voyager {

/// What became of the tasks so far.
class TaskHistory {
 public:
  /// In order, once each has ended.
  void add(const IterationRow& ended);

  /// Each once, in the order in which they were first done.
  const std::vector<std::string>& completed() const { return completed_; }
  bool is_completed(const std::string& task) const { return known_.contains(task); }
  /// Those that failed and were not done since, each once, the one that failed last at the end.
  std::vector<std::string> failed() const;
  const std::string& last_task() const { return last_task_; }

  /// A task that failed and is to be tried again, since others were done meanwhile: never the last one, and no more
  /// than kMostTries times in all.
  std::optional<std::string> due() const;
  static constexpr int kMostTries = 3;
  static constexpr int64_t kSuccessesBetween = 3;  // of other tasks, before it is tried again

 private:
  struct Failed {
    std::string task;
    int tries = 0;
    int64_t at = 0;  // successes_ when it failed last
  };
  std::vector<std::string> completed_;
  std::set<std::string> known_;
  std::vector<Failed> failed_;
  int64_t successes_ = 0;
  std::string last_task_;
};

}  // namespace caravel::voyager
