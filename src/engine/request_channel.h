#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/engine.h"

namespace caravel::engine {

/// Result::error of scores and embeddings, which have no finish_reason to say it.
inline constexpr const char* kCancelledError = "cancelled before it was done";

/// What one request gives its reader: the engine's thread writes, one consumer reads. Any thread may call any method.
/// Writing allocates nothing within what was reserved, as long as no texts are longer than expected.
class RequestChannel {
 public:
  /// What room is needed, and from how many tasks the result comes.
  struct Shape {
    int answers = 0;  // each has room for max_tokens
    int max_tokens = 0;
    bool logprobs = false;
    size_t prefixes = 0;                               // that are scored
    size_t tasks = 1;                                  // each calls close() once
    std::vector<std::string> schema_annotations = {};  // RequestHandle's
  };
  RequestChannel(std::string id, const Shape& shape, OnNews on_news);

  const std::string& id() const { return result_.id; }
  const std::vector<std::string>& schema_annotations() const { return schema_annotations_; }

  // -- The engine's side.

  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  /// One more token of an answer and the text that it completed. `logprob` is kept where `detail` is given, and always
  /// summed.
  void append(int index, int32_t token, std::string_view text, float logprob, TokenLogprob* detail);
  /// The end of an answer, with the text that was held back until then.
  void finish(int index, std::string_view text, FinishReason reason, std::string_view stop_reason);
  /// A whole answer at once, in place of append() and finish() (beams).
  void complete(Completion completion);
  void set_prompt_logprobs(std::vector<TokenLogprob> logprobs);
  /// The scores of a prefix's continuations from number `first` on.
  void set_scores(size_t prefix, size_t first, std::vector<Score> scores);
  /// The error with which it will be closed lies in the request: Result::contradicts_itself.
  void set_own_error();
  void set_embedding(std::vector<float> embedding);
  /// The end of a task, and with the last of them that of the request. Answers that are not finished then end with
  /// `reason`. Usage is summed; of several errors the first is kept, and it cancels what the request has still in work.
  void close(FinishReason reason, const std::string& error, const Usage& usage);

  // -- The reader's side.

  Next next(RequestHandle::Deadline deadline);
  const Result& result();
  void cancel() { cancelled_.store(true, std::memory_order_release); }
  /// on_news will not be called any more, and does not run.
  void detach();

 private:
  void tell_news();

  const std::vector<std::string> schema_annotations_;
  std::mutex mutex_;  // guards all that follows but what says otherwise
  std::condition_variable changed_;
  std::vector<Delta> pending_;  // [answers]: not read yet
  std::vector<bool> has_news_;  // [answers]
  Result result_;               // grows; the reader gets it once no task is open
  size_t open_tasks_;
  std::atomic<bool> cancelled_{false};
  std::mutex news_mutex_;  // guards on_news_
  OnNews on_news_;
};

}  // namespace caravel::engine
