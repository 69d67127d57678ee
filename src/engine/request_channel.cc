#include "engine/request_channel.h"

#include <algorithm>
#include <utility>

namespace caravel::engine {

RequestChannel::RequestChannel(std::string id, int answers, int max_tokens, bool logprobs,
                               std::function<void()> on_news)
    : pending_(static_cast<size_t>(answers)),
      has_news_(static_cast<size_t>(answers), false),
      on_news_(std::move(on_news)) {
  result_.id = std::move(id);
  result_.completions.resize(static_cast<size_t>(answers));
  constexpr size_t kBytesPerToken = 8;  // more than a vocabulary's mean
  const auto tokens = static_cast<size_t>(max_tokens);
  const auto reserve = [&](auto& answer) {
    answer.text.reserve(tokens * kBytesPerToken);
    answer.token_ids.reserve(tokens);
    if (logprobs) answer.logprobs.reserve(tokens);
  };
  for (int i = 0; i < answers; ++i) {
    pending_[static_cast<size_t>(i)].index = result_.completions[static_cast<size_t>(i)].index = i;
    reserve(pending_[static_cast<size_t>(i)]);
    reserve(result_.completions[static_cast<size_t>(i)]);
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

void RequestChannel::close(FinishReason reason, std::string error, const Usage& usage,
                           std::vector<TokenLogprob> prompt_logprobs) {
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < pending_.size(); ++i) {
      Completion& completion = result_.completions[i];
      if (completion.finish_reason != FinishReason::kNone) continue;
      pending_[i].finish_reason = completion.finish_reason = reason;
      has_news_[i] = true;
    }
    result_.error = std::move(error);
    result_.usage = usage;
    result_.prompt_logprobs = std::move(prompt_logprobs);
    closed_ = true;
  }
  tell_news();
}

void RequestChannel::tell_news() {
  changed_.notify_all();
  const std::lock_guard lock(news_mutex_);
  if (on_news_) on_news_();
}

std::optional<Delta> RequestChannel::next(const std::chrono::steady_clock::time_point* deadline, bool* timed_out) {
  std::unique_lock lock(mutex_);
  auto news = has_news_.end();
  const auto ready = [&] {
    news = std::find(has_news_.begin(), has_news_.end(), true);
    return news != has_news_.end() || closed_;
  };
  if (timed_out != nullptr) *timed_out = false;
  if (deadline == nullptr) {
    changed_.wait(lock, ready);
  } else if (!changed_.wait_until(lock, *deadline, ready)) {
    *timed_out = true;
    return std::nullopt;
  }
  if (news == has_news_.end()) return std::nullopt;
  // A copy, and not a move, so that the writer keeps its room.
  Delta& pending = pending_[static_cast<size_t>(news - has_news_.begin())];
  Delta delta = pending;
  pending.text.clear();
  pending.token_ids.clear();
  pending.logprobs.clear();
  pending.finish_reason = FinishReason::kNone;
  pending.stop_reason.clear();
  *news = false;
  return delta;
}

const Result& RequestChannel::result() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_; });
  return result_;
}

void RequestChannel::detach() {
  const std::lock_guard lock(news_mutex_);
  on_news_ = nullptr;
}

}  // namespace caravel::engine
