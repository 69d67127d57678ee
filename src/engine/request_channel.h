#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "caravel/engine.h"

namespace caravel::engine {

/// What one request gives its reader: the engine's thread writes, one consumer reads. Any thread may call any method.
/// Writing allocates nothing within what was reserved, as long as no texts are longer than expected.
class RequestChannel {
 public:
  /// Room for `answers` of `max_tokens` each.
  RequestChannel(std::string id, int answers, int max_tokens, bool logprobs, std::function<void()> on_news);

  const std::string& id() const { return result_.id; }

  // -- The engine's side.

  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  /// One more token of an answer and the text that it completed. `logprob` is kept where `detail` is given, and always
  /// summed.
  void append(int index, int32_t token, std::string_view text, float logprob, TokenLogprob* detail);
  /// The end of an answer, with the text that was held back until then.
  void finish(int index, std::string_view text, FinishReason reason, std::string_view stop_reason);
  /// A whole answer at once, in place of append() and finish() (beams).
  void complete(Completion completion);
  /// The end of the request. Answers that are not finished end with `reason`.
  void close(FinishReason reason, std::string error, const Usage& usage, std::vector<TokenLogprob> prompt_logprobs);

  // -- The reader's side.

  std::optional<Delta> next(const std::chrono::steady_clock::time_point* deadline, bool* timed_out);
  const Result& result();
  void cancel() { cancelled_.store(true, std::memory_order_release); }
  /// on_news will not be called any more, and does not run.
  void detach();

 private:
  void tell_news();

  std::mutex mutex_;  // of all that follows but what says otherwise
  std::condition_variable changed_;
  std::vector<Delta> pending_;  // [answers]: not read yet
  std::vector<bool> has_news_;  // [answers]
  Result result_;               // grows; the reader gets it once closed_
  bool closed_ = false;
  std::atomic<bool> cancelled_{false};
  std::mutex news_mutex_;  // of on_news_
  std::function<void()> on_news_;
};

}  // namespace caravel::engine
