#include "voyager/task_history.h"

#include <algorithm>

namespace caravel::voyager {

void TaskHistory::add(const IterationRow& ended) {
  last_task_ = ended.task;
  const auto found = std::ranges::find(failed_, ended.task, &Failed::task);
  if (ended.success) {
    ++successes_;
    if (known_.insert(ended.task).second) completed_.push_back(ended.task);
    if (found != failed_.end()) failed_.erase(found);
    return;
  }
  Failed failed{.task = ended.task, .tries = 1, .at = successes_};
  if (found != failed_.end()) {
    failed.tries = found->tries + 1;
    failed_.erase(found);
  }
  failed_.push_back(std::move(failed));
}

std::vector<std::string> TaskHistory::failed() const {
  std::vector<std::string> tasks;
  for (const Failed& failed : failed_) tasks.push_back(failed.task);
  return tasks;
}

std::optional<std::string> TaskHistory::due() const {
  for (const Failed& failed : failed_) {
    if (failed.tries < kMostTries && successes_ - failed.at >= kSuccessesBetween && failed.task != last_task_)
      return failed.task;
  }
  return std::nullopt;
}

}  // namespace caravel::voyager
