#include "engine/score_task.h"

#include <algorithm>
#include <utility>

namespace caravel::engine {
scheduler::GroupParams ScoreTask::group_params(const ScoreRequest& request, const Part& part, int max_sequences) {
  const std::vector<int32_t>& prefix = request.items[part.prefix].prefix;
  size_t longest = 1;
  int forked = 0;
  for (const auto& continuation : part.continuations) {
    longest = std::max(longest, continuation.size());
    forked += continuation.size() > 1;
  }
  // A continuation's last token is told of, but tells of nothing: it is not computed.
  return {.prompt = prefix,
          .max_tokens = static_cast<int>(prefix.size() + longest - 1),
          .max_sequences = std::clamp(forked, 1, max_sequences),
          .priority = request.priority,
          .background = request.background,
          .salt = request.cache_salt};
}

ScoreTask::ScoreTask(scheduler::GroupParams group, const Part& part, std::shared_ptr<RequestChannel> channel)
    : Task(std::move(group)), prefix_(part.prefix), first_(part.first), channel_(std::move(channel)) {
  continuations_.reserve(part.continuations.size());
  for (size_t i = 0; i < part.continuations.size(); ++i) {
    Continuation& continuation = continuations_.emplace_back();
    continuation.tokens = part.continuations[i];
    if (!part.given.empty()) continuation.given = static_cast<size_t>(part.given[i]);
    for (const int32_t token : std::span(continuation.tokens).subspan(continuation.given)) {
      continuation.logprobs.push_back({.token = token, .top = {}});
    }
    if (continuation.tokens.size() > 1) waiting_.push_back(i);
  }
  std::ranges::reverse(waiting_);
}

void ScoreTask::want(const scheduler::Row& row, int32_t place, StepWants& wants) {
  const auto ask = [&](size_t i, size_t token, int32_t after) {
    if (token < continuations_[i].given) return;
    const size_t scored = token - continuations_[i].given;
    const TokenLogprob& logprob = continuations_[i].logprobs[scored];
    if (logprob.rank != 0) return;
    wants.token({this, {.part = static_cast<int32_t>(i), .position = static_cast<int32_t>(scored)}},
                {.place = after, .token = logprob.token});
  };
  const int prefix = row.sequence->prompt_len;
  if (row.draws && !prefix_done_) {
    for (size_t i = 0; i < continuations_.size(); ++i) ask(i, 0, place + row.count - 1);
    return;
  }
  const auto i = static_cast<size_t>(row.sequence->part);
  if (continuations_[i].sequence != row.sequence) return;  // the prefix, computed again
  for (int r = 0; r < row.count; ++r) {
    const int token = row.first + r + 1 - prefix;
    if (token > 0) ask(i, static_cast<size_t>(token), place + r);
  }
}

void ScoreTask::apply(const About& about, const TokenOutput& token, const StepOutput& output) {
  Continuation& continuation = continuations_[static_cast<size_t>(about.part)];
  TokenLogprob& logprob = continuation.logprobs[static_cast<size_t>(about.position)];
  continuation.known += logprob.rank == 0;  // after a preemption it may come twice
  logprob = token_logprob(token, output);
}

int ScoreTask::advance(scheduler::Scheduler& scheduler) {
  for (Continuation& continuation : continuations_) {
    if (continuation.sequence == nullptr || continuation.known < continuation.logprobs.size()) continue;
    scheduler.finish(*std::exchange(continuation.sequence, nullptr));
  }
  prefix_done_ = prefix_done_ || group()->first().num_drawn > 0;
  if (prefix_done_) start_waiting(scheduler);
  return 0;
}

void ScoreTask::start_waiting(scheduler::Scheduler& scheduler) {
  if (prefix_taken_) return;
  scheduler::Sequence& prefix = group()->first();
  const auto limit = static_cast<size_t>(group()->params().max_sequences);
  const auto start = [&](scheduler::Sequence& sequence) {
    Continuation& continuation = continuations_[waiting_.back()];
    continuation.sequence = &sequence;
    sequence.part = static_cast<int>(waiting_.back());
    scheduler.append(sequence, std::span(continuation.tokens).first(continuation.tokens.size() - 1));
    waiting_.pop_back();
  };
  while (waiting_.size() > 1 && group()->sequences().size() < limit) start(scheduler.fork(prefix));
  if (waiting_.size() > 1) return;
  prefix_taken_ = true;
  if (waiting_.empty()) {
    scheduler.finish(prefix);
  } else {
    start(prefix);
  }
}

void ScoreTask::close(FinishReason reason, const std::string& error) {
  if (reason == FinishReason::kNone) channel_->set_scores(prefix_, first_, scores());
  Usage usage;
  if (first_ == 0) {  // the first of several tasks with one prefix counts it
    usage.prompt_tokens = group()->prompt_len();
    usage.cached_tokens = group()->cached_tokens();
  }
  for (const Continuation& continuation : continuations_) {
    usage.prompt_tokens += static_cast<int>(continuation.tokens.size());
  }
  channel_->close(reason, reason == FinishReason::kCancelled ? kCancelledError : error, usage);
}

std::vector<Score> ScoreTask::scores() const {
  std::vector<Score> scores;
  for (const Continuation& continuation : continuations_) {
    Score& score = scores.emplace_back();
    for (const TokenLogprob& token : continuation.logprobs) {
      score.logprob += token.logprob;
      score.tokens.push_back(token.token);
      score.token_logprobs.push_back(token.logprob);
      score.is_greedy.push_back(token.rank == 1);
    }
  }
  return scores;
}

}  // namespace caravel::engine
