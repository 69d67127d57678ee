#include "engine/encoder_loop.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

#include "base/float_vector.h"

namespace caravel::engine {

EncoderLoop::EncoderLoop(Device& device, model::Encoder& encoder, const Limits& limits)
    : device_(device), encoder_(encoder), limits_(limits), stream_(device.make_stream()) {
  stream_->start_profile(limits.profile);
  thread_ = std::thread(&EncoderLoop::run, this);
}

EncoderLoop::~EncoderLoop() {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->stopping = true;
  }
  mailbox_->changed.notify_all();
  thread_.join();
}

void EncoderLoop::submit(EncoderJob job) {
  const auto rank = [this](const EncoderJob& of) {
    return std::tuple(of.background, limits_.by_priority ? of.priority : 0);
  };
  {
    const std::lock_guard lock(mailbox_->mutex);
    std::vector<EncoderJob>& waiting = mailbox_->waiting;
    waiting.insert(std::ranges::upper_bound(waiting, rank(job), {}, rank), std::move(job));
    ++mailbox_->stats.waiting_requests;
  }
  mailbox_->changed.notify_all();
}

Stats EncoderLoop::stats() const {
  const std::lock_guard lock(mailbox_->mutex);
  return mailbox_->stats;
}

std::function<void()> EncoderLoop::poker() const {
  return [mailbox = mailbox_] {
    {
      const std::lock_guard lock(mailbox->mutex);
      mailbox->poked = true;
    }
    mailbox->changed.notify_all();
  };
}

EngineReport EncoderLoop::report(uint64_t since_step) const {
  const std::lock_guard lock(mailbox_->mutex);
  return {.stats = mailbox_->stats, .now = seconds_since(opened_), .steps = mailbox_->log.since(since_step)};
}

void EncoderLoop::check_integrity() {
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->changed.wait(lock, [&] { return mailbox_->idle && mailbox_->waiting.empty(); });
}

void EncoderLoop::run() {
  device_.adopt_thread();
  while (true) {
    const std::vector<EncoderJob> jobs = take_jobs();
    if (jobs.empty()) break;
    step(jobs);
  }
  const std::lock_guard lock(mailbox_->mutex);
  for (const EncoderJob& job : mailbox_->waiting) end(job, FinishReason::kCancelled, kCancelledError);
}

std::vector<EncoderJob> EncoderLoop::take_jobs() {
  std::unique_lock lock(mailbox_->mutex);
  Mailbox& mailbox = *mailbox_;
  while (!mailbox.stopping) {
    if (std::exchange(mailbox.poked, false)) drop_cancelled();
    if (!mailbox.waiting.empty()) break;
    mailbox.idle = true;
    mailbox.changed.notify_all();
    mailbox.changed.wait(lock, [&] { return mailbox.stopping || !mailbox.waiting.empty(); });
    mailbox.idle = false;
  }
  if (mailbox.stopping) return {};
  size_t tokens = 0;
  auto last = mailbox.waiting.begin();
  for (; last != mailbox.waiting.end() && last - mailbox.waiting.begin() < limits_.max_texts; ++last) {
    tokens += last->tokens.size();
    if (tokens > static_cast<size_t>(limits_.max_tokens)) break;
  }
  std::vector<EncoderJob> jobs(std::make_move_iterator(mailbox.waiting.begin()), std::make_move_iterator(last));
  mailbox.waiting.erase(mailbox.waiting.begin(), last);
  mailbox.stats.waiting_requests -= static_cast<int>(jobs.size());
  mailbox.stats.running_requests = static_cast<int>(jobs.size());
  return jobs;
}

/// Of those that wait; the mailbox is locked.
void EncoderLoop::drop_cancelled() {
  const auto is_cancelled = [](const EncoderJob& job) { return job.channel->cancelled(); };
  std::vector<EncoderJob>& waiting = mailbox_->waiting;
  const auto gone = std::ranges::stable_partition(waiting, std::not_fn(is_cancelled));
  mailbox_->stats.waiting_requests -= static_cast<int>(gone.size());
  mailbox_->stats.cancelled_requests += static_cast<int64_t>(gone.size());
  for (const EncoderJob& job : gone) end(job, FinishReason::kCancelled, kCancelledError);
  waiting.erase(gone.begin(), gone.end());
}

void EncoderLoop::step(std::span<const EncoderJob> jobs) {
  const Clock::time_point start = Clock::now();
  batch_.token_ids.clear();
  batch_.starts.assign(1, 0);
  for (const EncoderJob& job : jobs) {
    batch_.token_ids.insert(batch_.token_ids.end(), job.tokens.begin(), job.tokens.end());
    batch_.starts.push_back(static_cast<int32_t>(batch_.token_ids.size()));
  }
  std::string error;
  const model::EncoderConfig& config = encoder_.config();
  try {
    const std::span<const float> vectors = encoder_.forward(*stream_, batch_);
    const auto width = static_cast<size_t>(config.hidden_size);
    for (size_t i = 0; i < jobs.size(); ++i) {
      const std::span<const float> own = vectors.subspan(i * width, width);
      std::vector<float> vector(own.begin(), own.end());
      jobs[i].channel->set_embedding(config.normalizes ? unit_vector(std::move(vector)) : std::move(vector));
    }
  } catch (const std::exception& problem) {
    error = problem.what();
    stream_->synchronize();  // what was enqueued must not run later
  }
  {
    const std::lock_guard lock(mailbox_->mutex);
    Stats& stats = mailbox_->stats;
    stats.running_requests = 0;
    ++stats.steps;
    stats.computed_tokens += static_cast<int64_t>(batch_.token_ids.size());
    stats.prompt_tokens += static_cast<int64_t>(batch_.token_ids.size());
    stats.finished_requests += static_cast<int64_t>(jobs.size());
    const double seconds = seconds_since(start);
    stats.busy_seconds += seconds;
    stats.regions.assign(stream_->profile().begin(), stream_->profile().end());
    mailbox_->log.add({.number = static_cast<uint64_t>(stats.steps),
                       .end = seconds_since(opened_),
                       .seconds = seconds,
                       .prefill_tokens = static_cast<int>(batch_.token_ids.size()),
                       .waiting = stats.waiting_requests});
  }
  // After the statistics, so that who has the result finds it counted.
  for (const EncoderJob& job : jobs) {
    end(job, error.empty() ? FinishReason::kNone : FinishReason::kError, error.c_str());
  }
}

void EncoderLoop::end(const EncoderJob& job, FinishReason reason, const char* error) {
  job.channel->close(reason, error, {.prompt_tokens = static_cast<int>(job.tokens.size())});
}

}  // namespace caravel::engine
