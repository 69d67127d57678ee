#include "engine/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sampler/token_bits.h"

namespace caravel::engine {
namespace {

/// A mask that comes a moment after the rows is worth that moment: else its token is drawn a step later.
void wait_briefly(std::span<const PlannedDraw> draws) {
  const auto end = Clock::now() + std::chrono::milliseconds(1);
  for (const PlannedDraw& draw : draws) {
    while (draw.mask != nullptr && !draw.mask->ready() && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

}  // namespace

EngineLoop::EngineLoop(const Config& config, Executor& executor, LogprobStore& store, const Budget& late_logits,
                       std::shared_ptr<Mailbox> mailbox)
    : executor_(executor),
      store_(store),
      vocab_size_(config.vocab_size),
      pace_(config.max_step_seconds),
      scheduler_(config.scheduler),
      late_memory_(late_logits.part()),
      builder_(config.scheduler.max_num_seqs, config.scheduler.kv.block_size),
      mailbox_(std::move(mailbox)) {
  in_flight_.reserve(static_cast<size_t>(config.scheduler.max_steps));
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
  executor_.adopt_thread();
  while (take_mail()) {
    for (std::shared_ptr<Task>& task : arrivals_) {
      tasks_.push_back(std::move(task));
      scheduler_.add(tasks_.back()->group(), seconds_since(opened_));
    }
    arrivals_.clear();
    if (std::exchange(poked_, false)) drop_cancelled();
    step();
  }
  while (!tasks_.empty()) end(*tasks_.back(), FinishReason::kCancelled, "");
  close_ended();
  while (!in_flight_.empty()) collect_step();
}

bool EngineLoop::take_mail() {
  std::unique_lock lock(mailbox_->mutex);
  if (std::exchange(mailbox_->map_wanted, false)) report_blocks(scheduler_.kv().pool(), tasks_, mailbox_->block_map);
  if (stalled_) {
    mailbox_->changed.wait(
        lock, [&] { return mailbox_->stopping || mailbox_->masks || mailbox_->poked || !mailbox_->arrivals.empty(); });
  }
  mailbox_->masks = false;
  if (!scheduler_.has_work() && in_flight_.empty()) {
    const auto mail = [&] { return mailbox_->stopping || !mailbox_->arrivals.empty(); };
    if (!mail()) {
#ifndef NDEBUG
      scheduler_.check_integrity();
#endif
      executor_.rest();
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
  while (!lost() && may_launch()) launch_step();
  if (!in_flight_.empty()) collect_step();
  if (lost()) end_all();
}

bool EngineLoop::may_launch() const {
  if (!scheduler_.has_work()) return false;
  if (in_flight_.empty()) return true;
  if (scheduler_.steps_in_flight() == scheduler_.config().max_steps) return false;
  return scheduler_.may_plan_ahead() ||
         std::ranges::any_of(late_, [](const PlannedDraw& draw) { return draw.mask->ready(); });
}

void EngineLoop::launch_step() {
  input_.clear();
  draws_.clear();
  wants_.clear();
  const auto ready = std::ranges::stable_partition(late_, [](const PlannedDraw& draw) { return !draw.mask->ready(); });
  const std::vector<PlannedDraw> resumed(ready.begin(), ready.end());
  late_.erase(ready.begin(), ready.end());
  const bool alone = in_flight_.empty();
  if (spare_.empty()) spare_.emplace_back();
  InFlight& step = in_flight_.emplace_back(std::move(spare_.back()));
  spare_.pop_back();
  step.start = Clock::now();
  step.failed = false;
  step.plan = &scheduler_.plan(pace_.max_tokens(), late_.size() + resumed.size());
  stalled_ = alone && step.plan->rows.empty() && resumed.empty();
  step.tasks.clear();
  for (const scheduler::Row& row : step.plan->rows) {
    Task* const task = &task_of(row);
    if (step.tasks.empty() || step.tasks.back() != task) step.tasks.push_back(task);
  }
  for (const PlannedDraw& draw : resumed) {
    if (std::ranges::find(step.tasks, draw.wanted.task) == step.tasks.end()) step.tasks.push_back(draw.wanted.task);
  }
  try {
    store_.begin_step(*step.plan);
    builder_.fill(*step.plan, input_);
    int32_t place = 0;
    for (const scheduler::Row& row : step.plan->rows) {
      task_of(row).want(row, place, wants_);
      place += row.count;
    }
    executor_.launch(input_);
    launch_draws(step, resumed);
  } catch (const DeviceLost& lost) {
    note_loss(lost);
    fail_newest(lost.what());
  } catch (const std::exception& error) {
    fail_newest(error.what());
  }
  // Not before: what the step keeps is kept before it draws.
  for (const PlannedDraw& draw : resumed) kept_.give_back(kept_logits(draw.draw.place));
}

void EngineLoop::launch_draws(InFlight& step, std::span<const PlannedDraw> resumed) {
  draws_.number = input_.number;
  step.drawn.clear();
  const std::span<const PlannedDraw> planned = wants_.draws();
  const auto awaited = [](const PlannedDraw& draw) { return draw.mask != nullptr && !draw.mask->ready(); };
  if (std::ranges::any_of(planned, awaited)) {
    executor_.wait_for_rows();
    wait_briefly(planned);
  }
  const size_t words = sampler::words_of(static_cast<size_t>(vocab_size_));
  const auto draw_now = [&](const PlannedDraw& planned_draw) {
    Draw& draw = draws_.draws.emplace_back(planned_draw.draw);
    step.drawn.push_back(planned_draw.wanted);
    if (planned_draw.mask == nullptr) return;
    draw.mask = static_cast<int32_t>(draws_.masks.size() / words);
    const std::vector<uint32_t>& bits = planned_draw.mask->bits();
    draws_.masks.insert(draws_.masks.end(), bits.begin(),
                        bits.begin() + static_cast<ptrdiff_t>(std::min(bits.size(), words)));
    draws_.masks.resize((static_cast<size_t>(draw.mask) + 1) * words);
  };
  std::vector<PlannedDraw> late;
  for (const PlannedDraw& draw : planned) {
    if (draw.mask == nullptr || !draw.mask->await()) {
      draw_now(draw);
      continue;
    }
    PlannedDraw& kept = late.emplace_back(draw);
    const int32_t place = kept_.take();
    kept.draw.place = kept_logits(place);
    draws_.keeps.push_back({.place = draw.draw.place, .kept = place});
  }
  for (const PlannedDraw& draw : resumed) draw_now(draw);
  wants_.hand_over(step.tokens, step.states);
  if (!draws_.draws.empty() || !draws_.keeps.empty()) executor_.launch(draws_);
  keep_late(late);
}

void EngineLoop::collect_step() {
  std::string error;
  if (!in_flight_.front().failed) {
    const StepOutput* output = nullptr;
    try {
      output = &executor_.collect();
    } catch (const DeviceLost& lost) {
      note_loss(lost);
      lose_steps(lost.what());
      return;
    } catch (const std::exception& lost) {
      lose_steps(lost.what());
      return;
    }
    try {
      apply(in_flight_.front(), *output);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  }
  complete_step(error);
}

void EngineLoop::apply(const InFlight& step, const StepOutput& output) {
  for (size_t i = 0; i < output.wanted.size(); ++i) {
    const Wanted& wanted = step.tokens[i];
    if (!wanted.task->ended()) wanted.task->apply(wanted.about, output.wanted[i], output);
  }
  for (size_t i = 0; i < output.drawn.size(); ++i) {
    const Wanted& wanted = step.drawn[i];
    if (!wanted.task->ended()) wanted.task->apply(wanted.about, output.drawn[i], output);
  }
  const size_t width = step.states.empty() ? 0 : output.states.size() / step.states.size();
  for (size_t i = 0; i < step.states.size(); ++i) {
    Task& task = *step.states[i].task;
    if (!task.ended()) task.apply_state(std::span(output.states).subspan(i * width, width));
  }
}

void EngineLoop::complete_step(const std::string& error) {
  InFlight step = std::move(in_flight_.front());
  in_flight_.erase(in_flight_.begin());
  if (!error.empty()) {
    // Before the step counts as done: what it was to write into their blocks is not there.
    for (Task* const task : step.tasks) scheduler_.cancel(*task->group());
  }
  const Clock::time_point start = std::max(step.start, last_end_);
  pace_.observe(step.plan->total_tokens, seconds_since(start));
  step_ = report_tokens(*step.plan);
  scheduler_.complete(*step.plan);
  for (Task* const task : step.tasks) {
    if (task->ended()) continue;
    if (error.empty()) {
      advance(*task);
    } else {
      end(*task, FinishReason::kError, error);
    }
  }
  last_end_ = Clock::now();
  step_.seconds = std::chrono::duration<double>(last_end_ - start).count();
  step_.end = seconds_since(opened_);
  stats_.busy_seconds += step_.seconds;
  close_ended();
  std::erase_if(leaving_, [&](const Leaving& leaving) { return leaving.last_step <= step.plan->step; });
  spare_.push_back(std::move(step));
}

void EngineLoop::fail_newest(const std::string& error) {
  InFlight& step = in_flight_.back();
  step.failed = true;
  // At once: what its rows were to write is not there, and no step may go on from it.
  for (Task* const task : step.tasks) {
    if (!task->ended()) end(*task, FinishReason::kError, error);
  }
}

void EngineLoop::lose_steps(const std::string& error) {
  // Blocks that these steps were to move are not where they were to be.
  const std::vector<std::shared_ptr<Task>> tasks = tasks_;
  for (const std::shared_ptr<Task>& task : tasks) {
    if (task->group()->status() != scheduler::Status::kWaiting) end(*task, FinishReason::kError, error);
  }
  while (!in_flight_.empty()) complete_step(error);
}

void EngineLoop::note_loss(const DeviceLost& lost) {
  if (!stats_.device_error.empty()) return;
  stats_.device_error = lost.what();
  log::error("{}", lost.what());
}

void EngineLoop::end_all() {
  while (!in_flight_.empty()) collect_step();
  while (!tasks_.empty()) end(*tasks_.back(), FinishReason::kError, stats_.device_error);
  stalled_ = false;
  close_ended();
}

void EngineLoop::forget_late(const Task& task) {
  std::erase_if(late_, [&](const PlannedDraw& draw) {
    if (draw.wanted.task != &task) return false;
    kept_.give_back(kept_logits(draw.draw.place));
    return true;
  });
}

void EngineLoop::keep_late(std::span<const PlannedDraw> draws) {
  late_.insert(late_.end(), draws.begin(), draws.end());
  const size_t bytes = late_.size() * static_cast<size_t>(vocab_size_) * sizeof(float);
  if (late_memory_.resize(static_cast<int64_t>(bytes))) return;
  for (const PlannedDraw& draw : draws) {
    if (draw.wanted.task->ended()) continue;
    end(*draw.wanted.task, FinishReason::kError,
        "no memory is left for what waits until the grammar says which tokens may follow: send it again later");
  }
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
  forget_late(task);
  task.end();
  const auto place = std::ranges::find(tasks_, &task, &std::shared_ptr<Task>::get);
  ended_.push_back({std::move(*place), reason, error});
  tasks_.erase(place);
}

void EngineLoop::close_ended() {
  publish_stats();
  // After the statistics, so that who has the result finds it counted.
  for (Ended& ended : ended_) {
    ended.task->close(ended.reason, ended.error);
    if (!in_flight_.empty()) leaving_.push_back({std::move(ended.task), in_flight_.back().plan->step});
  }
  ended_.clear();
}

void EngineLoop::publish_stats() {
  scheduler_.fill(stats_);
  const std::span<const RegionTime> regions = executor_.profile();
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
