#include "server/endpoint/engine_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "server/endpoint/json_response.h"

namespace caravel::server {
namespace {

class EngineWork final : public http::Work {
 public:
  EngineWork(std::vector<std::unique_ptr<RequestHandle>> handles, std::unique_ptr<Answer> answer,
             std::chrono::seconds time_out)
      : answer_(std::move(answer)), time_out_(time_out), deadline_(Clock::now() + time_out) {
    for (auto& handle : handles) running_.push_back({.handle = std::move(handle), .whole = false});
  }

  bool probe(http::Writer& writer) override {
    // Between two events a comment may stand.
    if (answer_->streams() && started_ && out_.empty() && !ended_) writer.write(": \n\n");
    return true;
  }

  /// What has come is kept; the rest is what the engine says of cancelled requests.
  void cut() override { cancel(); }

  bool takes_long() const override { return answer_->is_large(); }

  Clock::time_point wake_time() const override {
    if (!out_.empty() || unread_) return Clock::time_point::min();
    return timed_out_ || ended_ ? Clock::time_point::max() : deadline_;
  }

  void advance(http::Writer& writer) override {
    if (!timed_out_ && Clock::now() >= deadline_) {
      timed_out_ = true;
      cancel();
    }
    if (!ended_ && !out_.is_long()) read();
    if (error_ && !started_) {
      writer.respond(answer_->refusal(*error_));
    } else if (answer_->streams() || ended_) {
      write(writer);
    }
  }

 private:
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    bool whole = false;
  };

  /// Takes what there is, until there is enough to be sent.
  void read() {
    for (size_t i = 0; i < running_.size() && !error_ && !out_.is_long(); ++i) drain(i);
    if (error_) {
      ended_ = true;
      cancel();
      if (started_) {
        answer_->failed(*error_, out_);
      } else {
        out_ = {};
      }
    } else if (std::ranges::all_of(running_, &Running::whole)) {
      ended_ = true;
      answer_->complete(out_);
    }
    unread_ = !ended_ && out_.is_long();
  }

  void cancel() {
    for (Running& running : running_) running.handle->cancel();
  }

  /// Takes what there is of one prompt. Sets error_ where it cannot be answered.
  void drain(size_t prompt) {
    Running& running = running_[prompt];
    while (!running.whole && !error_ && !out_.is_long()) {
      Next next = running.handle->poll();
      if (next.pending()) return;
      if (next.ended()) {
        finish(prompt);
      } else if (next->finish_reason == FinishReason::kError) {
        set_failure(*running.handle);
      } else if (next->finish_reason == FinishReason::kCancelled && !timed_out_) {
        error_ = ApiError(503, "server_error", "The server is shutting down.");
      } else {
        answer_->add(prompt, *next, out_);
        if (!out_.empty()) deltas_.push_back(std::move(*next));
      }
    }
  }

  void finish(size_t prompt) {
    Running& running = running_[prompt];
    const Result& result = running.handle->result();
    if (result.error.empty()) {
      answer_->prompt_ended(prompt, result, out_);
      running.whole = true;
    } else if (timed_out_) {
      error_ = ApiError(503, "server_error", fmt::format("The request took longer than {} seconds.", time_out_.count()),
                        std::nullopt, "timeout");
    } else {
      set_failure(*running.handle);
    }
  }

  void set_failure(RequestHandle& handle) {
    const Result& result = handle.result();
    if (result.contradicts_itself) {
      error_ = ApiError(400, "invalid_request_error", result.error, std::nullopt, "invalid_value");
      return;
    }
    log::error("request {} failed: {}", handle.id(), result.error);
    error_ = ApiError(500, "server_error", "The engine failed while it processed the request.");
  }

  /// The next piece: of a stream's events, or of a document, which is a whole response where it is short.
  void write(http::Writer& writer) {
    std::string piece;
    out_.take(piece);
    if (out_.empty()) deltas_.clear();
    const bool last = ended_ && out_.empty();
    if (last && !started_ && !answer_->streams()) {
      writer.respond(json_response(std::move(piece)));
      return;
    }
    if (!piece.empty() && !std::exchange(started_, true)) writer.start(head());
    if (!piece.empty()) writer.write(piece);
    if (last) writer.end();
  }

  http::Response head() const {
    if (!answer_->streams()) return json_response({});
    http::Response head;
    head.headers.add("Content-Type", "text/event-stream; charset=utf-8");
    head.headers.add("Cache-Control", "no-cache");
    head.headers.add("X-Accel-Buffering", "no");  // nginx would hold the events back
    return head;
  }

  std::unique_ptr<Answer> answer_;
  const std::chrono::seconds time_out_;
  const Clock::time_point deadline_;
  bool started_ = false;  // the head is out, and more follows
  bool ended_ = false;
  bool unread_ = false;  // of what is there, since there was enough to be sent
  bool timed_out_ = false;
  std::optional<ApiError> error_;
  AnswerText out_;
  std::deque<Delta> deltas_;      // that out_ may refer to
  std::vector<Running> running_;  // by prompt
};

}  // namespace

std::unique_ptr<http::Work> answer_with(const Call& call, std::vector<std::unique_ptr<RequestHandle>> handles,
                                        std::unique_ptr<Answer> answer) {
  return std::make_unique<EngineWork>(std::move(handles), std::move(answer), call.services.config.request_timeout);
}

void admit(const Call& call, int count) {
  const int limit = call.services.config.max_waiting_requests;
  if (call.ticket->take(count, limit)) return;
  throw ApiError(429, "rate_limit_error",
                 fmt::format("Too many requests: {} are waiting already, of at most {}. Try again later.",
                             call.services.admission.waiting(), limit),
                 std::nullopt, "rate_limit_exceeded");
}

OnNews leave_with_first_news(std::shared_ptr<Admission::Ticket> ticket, http::Wake wake) {
  return [ticket = std::move(ticket), wake = std::move(wake), started = false]() mutable {
    if (!std::exchange(started, true)) ticket->one_started();
    wake();
  };
}

}  // namespace caravel::server
