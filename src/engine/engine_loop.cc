#include "engine/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
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
  step_tasks_.reserve(static_cast<size_t>(config.scheduler.max_num_seqs));
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
  input_.clear();
  draws_.clear();
  wants_.clear();
  drawn_.clear();
  const auto ready = std::ranges::stable_partition(late_, [](const PlannedDraw& draw) { return !draw.mask->ready(); });
  std::vector<PlannedDraw> resumed(ready.begin(), ready.end());
  late_.erase(ready.begin(), ready.end());
  const scheduler::Plan& plan = scheduler_.plan(pace_.max_tokens(), late_.size() + resumed.size());
  stalled_ = plan.rows.empty() && resumed.empty();
  std::vector<PlannedDraw> late;
  const std::string error = execute(plan, resumed, late);
  step_tasks_.clear();
  for (const scheduler::Row& row : plan.rows) {
    Task* const task = &task_of(row);
    if (step_tasks_.empty() || step_tasks_.back() != task) step_tasks_.push_back(task);
  }
  for (const PlannedDraw& draw : resumed) {
    if (std::ranges::find(step_tasks_, draw.wanted.task) == step_tasks_.end()) step_tasks_.push_back(draw.wanted.task);
    kept_.give_back(kept_logits(draw.draw.place));
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

std::string EngineLoop::execute(const scheduler::Plan& plan, std::span<const PlannedDraw> resumed,
                                std::vector<PlannedDraw>& late) {
  try {
    store_.begin_step(plan);
    builder_.fill(plan, input_);
    int32_t place = 0;
    for (const scheduler::Row& row : plan.rows) {
      task_of(row).want(row, place, wants_);
      place += row.count;
    }
    executor_.launch(input_);
    launch_draws(resumed, late);
    apply(executor_.collect());
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

void EngineLoop::launch_draws(std::span<const PlannedDraw> resumed, std::vector<PlannedDraw>& late) {
  draws_.number = input_.number;
  const std::span<const PlannedDraw> planned = wants_.draws();
  if (std::ranges::any_of(planned, [](const PlannedDraw& draw) { return draw.mask != nullptr; })) {
    executor_.wait_for_rows();
    wait_briefly(planned);
  }
  const size_t words = sampler::words_of(static_cast<size_t>(vocab_size_));
  const auto draw_now = [&](const PlannedDraw& planned_draw) {
    Draw& draw = draws_.draws.emplace_back(planned_draw.draw);
    drawn_.push_back(planned_draw.wanted);
    if (planned_draw.mask == nullptr) return;
    draw.mask = static_cast<int32_t>(draws_.masks.size() / words);
    const std::vector<uint32_t>& bits = planned_draw.mask->bits();
    draws_.masks.insert(draws_.masks.end(), bits.begin(),
                        bits.begin() + static_cast<ptrdiff_t>(std::min(bits.size(), words)));
    draws_.masks.resize((static_cast<size_t>(draw.mask) + 1) * words);
  };
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
  if (!draws_.draws.empty() || !draws_.keeps.empty()) executor_.launch(draws_);
}

void EngineLoop::apply(const StepOutput& output) {
  for (size_t i = 0; i < output.wanted.size(); ++i) {
    const Wanted& wanted = wants_.tokens()[i];
    wanted.task->apply(wanted.about, output.wanted[i], output);
  }
  for (size_t i = 0; i < output.drawn.size(); ++i) {
    drawn_[i].task->apply(drawn_[i].about, output.drawn[i], output);
  }
  const size_t states = wants_.states().size();
  const size_t width = states == 0 ? 0 : output.states.size() / states;
  for (size_t i = 0; i < states; ++i) {
    wants_.states()[i].task->apply_state(std::span(output.states).subspan(i * width, width));
  }
}

void EngineLoop::forget_late(std::vector<PlannedDraw>& draws, const std::function<bool(const PlannedDraw&)>& which) {
  std::erase_if(draws, [&](const PlannedDraw& draw) {
    if (!which(draw)) return false;
    kept_.give_back(kept_logits(draw.draw.place));
    return true;
  });
}

void EngineLoop::keep_late(std::vector<PlannedDraw> draws) {
  const auto lives = [&](const PlannedDraw& draw) {
    return std::ranges::find(tasks_, draw.wanted.task, &std::shared_ptr<Task>::get) != tasks_.end();
  };
  // Another answer of the same request may have ended it in this step.
  forget_late(draws, [&](const PlannedDraw& draw) { return !lives(draw); });
  const size_t bytes = (late_.size() + draws.size()) * static_cast<size_t>(vocab_size_) * sizeof(float);
  const bool fits = late_memory_.resize(static_cast<int64_t>(bytes));
  for (const PlannedDraw& draw : draws) {
    late_.push_back(draw);
    if (fits) continue;
    if (!lives(draw)) {
      kept_.give_back(kept_logits(draw.draw.place));
      late_.pop_back();
      continue;
    }
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
  forget_late(late_, [&](const PlannedDraw& draw) { return draw.wanted.task == &task; });
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
