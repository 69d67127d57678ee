#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caravel/result.h"
#include "sampler/sampler.h"
#include "scheduler/scheduler.h"

namespace caravel::engine {

class Task;

/// Logits that a step should give.
struct LogitsWant {
  int32_t row = 0;            // in the batch
  sampler::SampleRow sample;  // what they are for
  Task* task = nullptr;       // whose they are
  int64_t tag = 0;            // the task's own
};

/// A state after the final norm that a step should give.
struct HiddenWant {
  int32_t row = 0;  // in the batch
  Task* task = nullptr;
};

/// A draw that waits for its mask, with the logits that the model gave.
struct LateDraw {
  LogitsWant want;
  std::vector<float> logits;  // [vocab_size]
};

/// What the tasks of one step want of it, beside keys and values.
struct StepWants {
  std::vector<LogitsWant> logits;
  std::vector<HiddenWant> hidden;
  std::vector<LateDraw> late;  // of steps before, whose masks are ready
  void clear() {
    logits.clear();
    hidden.clear();
    late.clear();
  }
};

/// Payload of a sequence: whose it is and what it is there.
struct Member {
  Task* task = nullptr;
  int index = 0;
};

/// A request in work: what it wants of each step, and what it makes of it. The engine's thread alone calls it, but for
/// what says otherwise. Every step that has rows of the task goes
///
///   want() for each row -> receive...() for each want -> advance()
///
/// A want whose mask is not ready is received in a later step, which need not have rows of the task.
/// and close() is the last call.
class Task {
 public:
  /// params.payload is set here: the first sequence is member 0.
  explicit Task(scheduler::GroupParams params) {
    params.payload = &first_;
    group_ = std::make_shared<scheduler::SequenceGroup>(std::move(params));
  }
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  const std::shared_ptr<scheduler::SequenceGroup>& group() const { return group_; }

  /// The caller's name for it; empty where it has none.
  virtual std::string_view request_id() const { return {}; }
  /// Any thread.
  virtual bool cancelled() const { return false; }
  /// `row` is in the step; its tokens are the batch's rows from `first` on.
  virtual void want(const scheduler::Row& row, int32_t first, StepWants& wants) = 0;
  /// What `want` asked for is row `row` of the sampler's results.
  virtual void receive(const LogitsWant& want, const sampler::Sampler& sampler, size_t row) = 0;
  /// [hidden_size], of the rows in order.
  virtual void receive_hidden(std::span<const float> /*hidden*/) {}
  /// The step is complete: appends, forks and finishes. Returns how many tokens were generated. A group without
  /// sequences is done.
  virtual int advance(scheduler::Scheduler& scheduler) = 0;
  /// No sequence is left: gives the request its result. Unless the task is done by itself, `reason` is why
  /// it ends; `error` is empty unless that is kError.
  virtual void close(FinishReason reason, const std::string& error) = 0;

 private:
  Member first_{this, 0};
  std::shared_ptr<scheduler::SequenceGroup> group_;
};

}  // namespace caravel::engine
