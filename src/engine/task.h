#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "caravel/result.h"
#include "engine/step.h"
#include "engine/step_wants.h"
#include "scheduler/scheduler.h"

namespace caravel::engine {

/// A request in work: what it wants of each step, and what it makes of it. The engine's thread alone calls it, but for
/// what says otherwise. Every step that has rows of the task goes
///
///   want() for each row -> apply() for each want -> advance()
///
/// A draw whose mask is not ready is told of in a later step, which need not have rows of the task. Several steps may
/// be in flight: want() is called for the next before what the last one gave is applied, and what a step gives of a
/// request that has ended is not. close() is the last call.
class Task : public scheduler::GroupOwner {
 public:
  explicit Task(scheduler::GroupParams params) {
    params.owner = this;
    group_ = std::make_shared<scheduler::SequenceGroup>(std::move(params));
  }
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  const std::shared_ptr<scheduler::SequenceGroup>& group() const { return group_; }
  /// Nothing is applied to it any more.
  bool ended() const { return ended_; }
  void end() { ended_ = true; }

  /// The caller's name for it; empty where it has none.
  virtual std::string_view request_id() const { return {}; }
  /// Any thread.
  virtual bool cancelled() const { return false; }
  /// `row` is in the step; its tokens are the step's from `place` on.
  virtual void want(const scheduler::Row& row, int32_t place, StepWants& wants) = 0;
  /// What it wanted of a token. output: the step's, which the token's refers to.
  virtual void apply(const About& /*about*/, const TokenOutput& /*token*/, const StepOutput& /*output*/) {}
  /// The state that it wanted: [hidden_size].
  virtual void apply_state(std::span<const float> /*state*/) {}
  /// The step is complete: appends, forks and finishes. Returns how many tokens were generated. A group without
  /// sequences is done.
  virtual int advance(scheduler::Scheduler& scheduler) = 0;
  /// No sequence is left: gives the request its result. Unless the task is done by itself, `reason` is why
  /// it ends; `error` is empty unless that is kError.
  virtual void close(FinishReason reason, const std::string& error) = 0;

 private:
  std::shared_ptr<scheduler::SequenceGroup> group_;
  bool ended_ = false;
};

/// The task whose row it is.
inline Task& task_of(const scheduler::Row& row) { return *static_cast<Task*>(row.sequence->group->params().owner); }

}  // namespace caravel::engine
