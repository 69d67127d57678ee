#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "caravel/error.h"
#include "caravel/monitor.h"
#include "caravel/stats.h"
#include "engine/executor.h"
#include "engine/logprob_store.h"
#include "engine/monitor_log.h"
#include "engine/sampler_slots.h"
#include "engine/step_builder.h"
#include "engine/step_pace.h"
#include "engine/step_wants.h"
#include "engine/task.h"
#include "scheduler/scheduler.h"

namespace caravel::engine {

/// What other threads leave for the engine's.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Task>> arrivals;
  bool poked = false;  // some task may have been cancelled
  bool masks = false;  // one is ready that was awaited
  bool stopping = false;
  bool idle = false;  // the thread waits, and nothing runs
  Stats stats;        // after the last step
  MonitorLog log;
  BlockMap block_map;
  bool map_wanted = false;  // at the next step boundary

  void poke() {
    {
      const std::lock_guard lock(mutex);
      poked = true;
    }
    changed.notify_all();
  }
  void mask_ready() {
    {
      const std::lock_guard lock(mutex);
      masks = true;
    }
    changed.notify_all();
  }
};

/// The thread that steps: it alone touches scheduler, executor and tasks. Sleeps while there is nothing to do.
class EngineLoop final : public EngineMonitor {
 public:
  struct Config {
    scheduler::SchedulerConfig scheduler;
    double max_step_seconds = 0;  // of a step while some sequence decodes; 0: no bound
    int vocab_size = 0;
  };

  /// late_logits: memory for those that wait for a mask. `executor` and `store` must outlive it. mailbox: its own;
  /// others may hold it.
  EngineLoop(const Config& config, Executor& executor, LogprobStore& store, const Budget& late_logits,
             std::shared_ptr<Mailbox> mailbox);
  /// Cancels what runs and joins.
  ~EngineLoop() override;

  // -- Any thread.

  /// Whether such a group could ever run.
  bool fits(const scheduler::GroupParams& params) const;
  /// All of them or none: throws CapacityError where one could never fit.
  void submit(std::vector<std::shared_ptr<Task>> tasks);
  Stats stats() const;
  // EngineMonitor's.
  EngineReport report(uint64_t since_step) const override;
  void check_integrity() override;

 private:
  /// A step that is launched, and whose its output will be.
  struct InFlight {
    const scheduler::Plan* plan = nullptr;
    Clock::time_point start;
    bool failed = false;         // it will not be collected
    std::vector<Task*> tasks;    // that have rows in it, or draws
    std::vector<Wanted> tokens;  // StepOutput::wanted
    std::vector<Wanted> states;  // ::states
    std::vector<Wanted> drawn;   // ::drawn
  };

  /// The scheduler, for another thread that holds the mailbox's mutex, as long as it does; nullptr where the engine's
  /// thread runs. While that is idle it has no tasks, waits for the mutex, and touches nothing before it has it.
  const scheduler::Scheduler* idle_scheduler(const std::unique_lock<std::mutex>& lock) const;

  void run();
  /// False when it is time to end.
  bool take_mail();
  void drop_cancelled();
  /// Launches what may be launched, and collects the oldest step.
  void step();
  bool may_launch() const;
  void launch_step();
  void launch_draws(InFlight& step, std::span<const PlannedDraw> resumed);
  void collect_step();
  void apply(const InFlight& step, const StepOutput& output);
  /// The oldest step is complete: its tasks go on, or end with what went wrong.
  void complete_step(const std::string& error);
  /// The newest step could not be launched: ends its tasks.
  void fail_newest(const std::string& error);
  /// The executor has lost all steps in flight: ends the tasks that hold blocks.
  void lose_steps(const std::string& error);
  /// Nothing is computed any more, and what there is ends: now, and whenever something comes.
  void note_loss(const DeviceLost& lost);
  bool lost() const { return !stats_.device_error.empty(); }
  void end_all();
  /// They wait for their masks. Ends requests for whose logits there is no memory.
  void keep_late(std::span<const PlannedDraw> draws);
  void forget_late(const Task& task);
  void advance(Task& task);
  /// Its sequences are dropped; close_ended() will tell its request.
  void end(Task& task, FinishReason reason, const std::string& error);
  void close_ended();
  void publish_stats();

  Executor& executor_;
  LogprobStore& store_;
  const int vocab_size_;
  StepPace pace_;
  scheduler::Scheduler scheduler_;
  SlotNumbers samplers_;                         // of the executor: tasks have them
  SlotNumbers kept_;                             // places of the executor's for logits
  std::vector<std::shared_ptr<Task>> tasks_;     // that are not finished
  std::vector<std::shared_ptr<Task>> arrivals_;  // the mailbox's, taken
  bool poked_ = false;                           // the mailbox's, taken; or a task failed, which cancels its request's
  std::vector<PlannedDraw> late_;                // that wait for their masks, of kept logits
  Budget::Part late_memory_;
  bool stalled_ = false;  // until a mask is ready, or mail comes: there was nothing to compute
  struct Ended {
    std::shared_ptr<Task> task;
    FinishReason reason;
    std::string error;
  };
  std::vector<Ended> ended_;  // that are not closed yet
  struct Leaving {
    std::shared_ptr<Task> task;
    uint64_t last_step;  // that may be about it
  };
  std::vector<Leaving> leaving_;     // that are closed
  std::vector<InFlight> in_flight_;  // the oldest first
  std::vector<InFlight> spare_;      // for their memory
  // Of the step that is launched.
  StepInput input_;
  DrawInput draws_;
  StepBuilder builder_;
  StepWants wants_{input_, draws_, samplers_};
  Stats stats_;                                // what the scheduler does not count
  StepReport step_;                            // the last one; number 0: it is in the log
  Clock::time_point last_end_ = Clock::now();  // of a step
  const Clock::time_point opened_ = Clock::now();
  const std::shared_ptr<Mailbox> mailbox_;
  std::thread thread_;
};

}  // namespace caravel::engine
