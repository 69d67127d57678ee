#include "engine/engine_loop.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"

namespace caravel::engine {
namespace {

Task& task_of(const scheduler::Row& row) { return *static_cast<const Member*>(row.sequence->payload)->task; }

}  // namespace

EngineLoop::EngineLoop(const scheduler::SchedulerConfig& config, double max_step_seconds, ModelRunner& runner,
                       LogprobStore& store, StepHook hook, const Budget& late_logits, std::shared_ptr<Mailbox> mailbox)
    : runner_(runner),
      store_(store),
      hook_(std::move(hook)),
      pace_(max_step_seconds),
      scheduler_(config),
      late_memory_(late_logits.part()),
      mailbox_(std::move(mailbox)) {
  step_tasks_.reserve(static_cast<size_t>(config.max_num_seqs));
  wants_.logits.reserve(static_cast<size_t>(std::max(config.max_num_seqs, config.max_num_batched_tokens)));
  publish_stats();
  thread_ = std::thread(&EngineLoop::run, this);
}

EngineLoop::~EngineLoop() {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->stopping = true;
  }
  mailbox_->changed.notify_all();
  thread_.join();
}

bool EngineLoop::fits(const scheduler::GroupParams& params) const {
  try {
    scheduler_.check_fits(params);
    return true;
  } catch (const CapacityError&) {
    return false;
  }
}

void EngineLoop::submit(std::vector<std::shared_ptr<Task>> tasks) {
  for (const std::shared_ptr<Task>& task : tasks) scheduler_.check_fits(task->group()->params());
  {
    const std::lock_guard lock(mailbox_->mutex);
    std::ranges::move(tasks, std::back_inserter(mailbox_->arrivals));
  }
  mailbox_->changed.notify_all();
}

Stats EngineLoop::stats() const {
  const std::lock_guard lock(mailbox_->mutex);
  return mailbox_->stats;
}

EngineReport EngineLoop::report(uint64_t since_step) const {
  const std::unique_lock lock(mailbox_->mutex);
  const scheduler::Scheduler* const idle = idle_scheduler(lock);
  if (idle != nullptr) report_blocks(idle->kv().pool(), {}, mailbox_->block_map);
  mailbox_->map_wanted = idle == nullptr;
  return {.stats = mailbox_->stats,
          .now = seconds_since(opened_),
          .steps = mailbox_->log.since(since_step),
          .blocks = mailbox_->block_map.blocks,
          .owners = mailbox_->block_map.owners};
}

void EngineLoop::check_integrity() {
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->changed.wait(lock, [&] { return idle_scheduler(lock) != nullptr && mailbox_->arrivals.empty(); });
  idle_scheduler(lock)->check_integrity();
}

const scheduler::Scheduler* EngineLoop::idle_scheduler(const std::unique_lock<std::mutex>& lock) const {
  CARAVEL_CHECK(lock.owns_lock() && lock.mutex() == &mailbox_->mutex);
  return mailbox_->idle ? &scheduler_ : nullptr;
}

void EngineLoop::run() {
  runner_.adopt_thread();
  while (take_mail()) {
    for (std::shared_ptr<Task>& task : arrivals_) {
      tasks_.push_back(std::move(task));
      scheduler_.add(tasks_.back()->group(), seconds_since(opened_));
    }
    arrivals_.clear();
    if (std::exchange(poked_, false)) drop_cancelled();
    if (scheduler_.has_work()) step();
  }
  while (!tasks_.empty()) end(*tasks_.back(), FinishReason::kCancelled, "");
  close_ended();
}

bool EngineLoop::take_mail() {
  std::unique_lock lock(mailbox_->mutex);
  if (std::exchange(mailbox_->map_wanted, false)) report_blocks(scheduler_.kv().pool(), tasks_, mailbox_->block_map);
  if (stalled_) {
    mailbox_->changed.wait(
        lock, [&] { return mailbox_->stopping || mailbox_->masks || mailbox_->poked || !mailbox_->arrivals.empty(); });
  }
  mailbox_->masks = false;
  if (!scheduler_.has_work()) {
    const auto mail = [&] { return mailbox_->stopping || !mailbox_->arrivals.empty(); };
    if (!mail()) {
#ifndef NDEBUG
      scheduler_.check_integrity();
#endif
      mailbox_->idle = true;
      mailbox_->changed.notify_all();
      mailbox_->changed.wait(lock, mail);
      mailbox_->idle = false;
    }
  }
  std::swap(arrivals_, mailbox_->arrivals);
  // Told before the step that they are planned in: who watches must see work even if that step never ends.
  mailbox_->stats.waiting_requests += static_cast<int>(arrivals_.size());
  poked_ |= std::exchange(mailbox_->poked, false);
  if (mailbox_->stopping) {
    std::ranges::move(arrivals_, std::back_inserter(tasks_));
    return false;
  }
  return true;
}

void EngineLoop::drop_cancelled() {
  for (size_t i = tasks_.size(); i-- > 0;) {
    if (tasks_[i]->cancelled()) end(*tasks_[i], FinishReason::kCancelled, "");
  }
  close_ended();
}

void EngineLoop::step() {
  const Clock::time_point start = Clock::now();
  wants_.clear();
  take_late();
  const scheduler::Plan& plan = scheduler_.plan(pace_.max_tokens(), late_.size() + wants_.late.size());
  stalled_ = plan.rows.empty() && wants_.late.empty();
  std::vector<LateDraw> late;
  const std::string error = execute(plan, late);
  step_tasks_.clear();
  for (const scheduler::Row& row : plan.rows) {
    Task* const task = &task_of(row);
    if (step_tasks_.empty() || step_tasks_.back() != task) step_tasks_.push_back(task);
  }
  for (const LateDraw& draw : wants_.late) {
    if (std::ranges::find(step_tasks_, draw.want.task) == step_tasks_.end()) step_tasks_.push_back(draw.want.task);
  }
  if (!error.empty()) {
    // Before the step counts as done: what it was to write into their blocks is not there.
    for (Task* const task : step_tasks_) scheduler_.cancel(*task->group());
  }
  pace_.observe(plan.total_tokens, seconds_since(start));
  step_ = report_tokens(plan);
  scheduler_.complete(plan);
  for (Task* const task : step_tasks_) {
    if (error.empty()) {
      advance(*task);
    } else {
      end(*task, FinishReason::kError, error);
    }
  }
  keep_late(std::move(late));
  step_.seconds = seconds_since(start);
  step_.end = seconds_since(opened_);
  stats_.busy_seconds += step_.seconds;
  close_ended();
}

void EngineLoop::take_late() {
  const auto ready =
      std::ranges::stable_partition(late_, [](const LateDraw& draw) { return !draw.want.sample.mask->ready(); });
  std::ranges::move(ready, std::back_inserter(wants_.late));
  late_.erase(ready.begin(), ready.end());
}

void EngineLoop::keep_late(std::vector<LateDraw> draws) {
  // Another answer of the same request may have ended it in this step.
  std::erase_if(draws, [&](const LateDraw& draw) {
    return std::ranges::find(tasks_, draw.want.task, &std::shared_ptr<Task>::get) == tasks_.end();
  });
  size_t bytes = 0;
  const auto count = [&](const std::vector<LateDraw>& some) {
    for (const LateDraw& draw : some) bytes += draw.logits.size() * sizeof(float);
  };
  count(late_);
  count(draws);
  if (!late_memory_.resize(static_cast<int64_t>(bytes))) {
    for (const LateDraw& draw : draws) {
      const bool lives = std::ranges::find(tasks_, draw.want.task, &std::shared_ptr<Task>::get) != tasks_.end();
      if (!lives) continue;
      end(*draw.want.task, FinishReason::kError,
          "no memory is left for what waits until the grammar says which tokens may follow: send it again later");
    }
    return;
  }
  for (LateDraw& draw : draws) late_.push_back(std::move(draw));
}

std::string EngineLoop::execute(const scheduler::Plan& plan, std::vector<LateDraw>& late) {
  try {
    store_.begin_step(plan);
    int32_t first = 0;
    for (const scheduler::Row& row : plan.rows) {
      task_of(row).want(row, first, wants_);
      first += row.count;
    }
    late = runner_.run(plan, wants_, hook_);
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

void EngineLoop::advance(Task& task) {
  try {
    stats_.generated_tokens += task.advance(scheduler_);
    if (task.group()->sequences().empty()) end(task, FinishReason::kNone, "");
  } catch (const std::exception& error) {
    end(task, FinishReason::kError, error.what());
  }
}

void EngineLoop::end(Task& task, FinishReason reason, const std::string& error) {
  scheduler_.cancel(*task.group());
  ++(reason == FinishReason::kCancelled ? stats_.cancelled_requests : stats_.finished_requests);
  poked_ |= reason == FinishReason::kError;
  std::erase_if(late_, [&](const LateDraw& draw) { return draw.want.task == &task; });
  const auto place = std::ranges::find(tasks_, &task, &std::shared_ptr<Task>::get);
  ended_.push_back({std::move(*place), reason, error});
  tasks_.erase(place);
}

void EngineLoop::close_ended() {
  publish_stats();
  // After the statistics, so that who has the result finds it counted.
  for (const Ended& ended : ended_) ended.task->close(ended.reason, ended.error);
  ended_.clear();
}

void EngineLoop::publish_stats() {
  scheduler_.fill(stats_);
  const std::span<const RegionTime> regions = runner_.profile();
  stats_.regions.assign(regions.begin(), regions.end());
  step_.waiting = stats_.waiting_requests;
  step_.running = stats_.running_requests;
  step_.swapped = stats_.swapped_requests;
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->stats = stats_;
  if (step_.number != 0) mailbox_->log.add(step_);
  step_.number = 0;
}

}  // namespace caravel::engine
