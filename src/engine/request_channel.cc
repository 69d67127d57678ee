#include "engine/request_channel.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace caravel::engine {

RequestChannel::RequestChannel(std::string id, const Shape& shape, OnNews on_news)
    : schema_annotations_(shape.schema_annotations),
      pending_(static_cast<size_t>(shape.answers)),
      has_news_(static_cast<size_t>(shape.answers), false),
      open_tasks_(shape.tasks),
      on_news_(std::move(on_news)) {
  result_.id = std::move(id);
  result_.completions.resize(static_cast<size_t>(shape.answers));
  result_.scores.resize(shape.prefixes);
  constexpr size_t kBytesPerToken = 8;  // more than a vocabulary's mean
  const auto tokens = static_cast<size_t>(shape.max_tokens);
  const auto reserve = [&](auto& answer) {
    answer.text.reserve(tokens * kBytesPerToken);
    answer.token_ids.reserve(tokens);
    if (shape.logprobs) answer.logprobs.reserve(tokens);
  };
  for (size_t i = 0; i < pending_.size(); ++i) {
    pending_[i].index = result_.completions[i].index = static_cast<int>(i);
    reserve(pending_[i]);
    reserve(result_.completions[i]);
  }
}

void RequestChannel::append(int index, int32_t token, std::string_view text, float logprob, TokenLogprob* detail) {
  {
    const std::lock_guard lock(mutex_);
    Delta& delta = pending_[static_cast<size_t>(index)];
    Completion& completion = result_.completions[static_cast<size_t>(index)];
    delta.text += text;
    completion.text += text;
    delta.token_ids.push_back(token);
    completion.token_ids.push_back(token);
    completion.cumulative_logprob += logprob;
    if (detail != nullptr) {
      delta.logprobs.push_back(*detail);
      completion.logprobs.push_back(std::move(*detail));
    }
    has_news_[static_cast<size_t>(index)] = true;
  }
  tell_news();
}

void RequestChannel::finish(int index, std::string_view text, FinishReason reason, std::string_view stop_reason) {
  {
    const std::lock_guard lock(mutex_);
    Delta& delta = pending_[static_cast<size_t>(index)];
    Completion& completion = result_.completions[static_cast<size_t>(index)];
    delta.text += text;
    completion.text += text;
    delta.finish_reason = completion.finish_reason = reason;
    delta.stop_reason = completion.stop_reason = stop_reason;
    has_news_[static_cast<size_t>(index)] = true;
  }
  tell_news();
}

void RequestChannel::complete(Completion completion) {
  {
    const std::lock_guard lock(mutex_);
    const auto index = static_cast<size_t>(completion.index);
    pending_[index] = {.index = completion.index,
                       .text = completion.text,
                       .token_ids = completion.token_ids,
                       .logprobs = completion.logprobs,
                       .finish_reason = completion.finish_reason,
                       .stop_reason = completion.stop_reason};
    has_news_[index] = true;
    result_.completions[index] = std::move(completion);
  }
  tell_news();
}

void RequestChannel::set_prompt_logprobs(std::vector<TokenLogprob> logprobs) {
  const std::lock_guard lock(mutex_);
  result_.prompt_logprobs = std::move(logprobs);
}

void RequestChannel::set_scores(size_t prefix, size_t first, std::vector<Score> scores) {
  const std::lock_guard lock(mutex_);
  std::vector<Score>& all = result_.scores[prefix];
  all.resize(std::max(all.size(), first + scores.size()));
  std::ranges::move(scores, all.begin() + static_cast<ptrdiff_t>(first));
}

void RequestChannel::set_own_error() {
  const std::lock_guard lock(mutex_);
  result_.contradicts_itself = true;
}

void RequestChannel::set_embedding(std::vector<float> embedding) {
  const std::lock_guard lock(mutex_);
  result_.embedding = std::move(embedding);
}

void RequestChannel::close(FinishReason reason, const std::string& error, const Usage& usage) {
  {
    const std::lock_guard lock(mutex_);
    result_.usage.prompt_tokens += usage.prompt_tokens;
    result_.usage.completion_tokens += usage.completion_tokens;
    result_.usage.cached_tokens += usage.cached_tokens;
    if (!error.empty()) {
      if (result_.error.empty()) result_.error = error;
      cancel();
    }
    if (--open_tasks_ > 0) return;
    for (size_t i = 0; i < pending_.size(); ++i) {
      Completion& completion = result_.completions[i];
      if (completion.finish_reason != FinishReason::kNone) continue;
      pending_[i].finish_reason = completion.finish_reason = reason;
      has_news_[i] = true;
    }
  }
  tell_news();
}

void RequestChannel::tell_news() {
  changed_.notify_all();
  const std::lock_guard lock(news_mutex_);
  if (on_news_) on_news_();
}

Next RequestChannel::next(RequestHandle::Deadline deadline) {
  std::unique_lock lock(mutex_);
  auto news = has_news_.end();
  const auto ready = [&] {
    news = std::ranges::find(has_news_, true);
    return news != has_news_.end() || open_tasks_ == 0;
  };
  // The earliest and the latest deadline are no times that a wait could be asked for: it would overflow.
  if (deadline == RequestHandle::Deadline::max()) {
    changed_.wait(lock, ready);
  } else if (!ready() && (deadline <= Clock::now() || !changed_.wait_until(lock, deadline, ready))) {
    return {};
  }
  if (news == has_news_.end()) return {.kind = Next::Kind::kEnded, .delta = {}};
  // A copy, and not a move, so that the writer keeps its room.
  Delta& pending = pending_[static_cast<size_t>(news - has_news_.begin())];
  Next next{.kind = Next::Kind::kDelta, .delta = pending};
  pending.text.clear();
  pending.token_ids.clear();
  pending.logprobs.clear();
  pending.finish_reason = FinishReason::kNone;
  pending.stop_reason.clear();
  *news = false;
  return next;
}

const Result& RequestChannel::result() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return open_tasks_ == 0; });
  return result_;
}

void RequestChannel::detach() {
  const std::lock_guard lock(news_mutex_);
  on_news_ = nullptr;
}

}  // namespace caravel::engine
