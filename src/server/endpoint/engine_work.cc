#include "server/endpoint/engine_work.h"

#include <fmt/format.h>

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

  Clock::time_point wake_time() const override { return timed_out_ || ended_ ? Clock::time_point::max() : deadline_; }

  void advance(http::Writer& writer) override {
    if (ended_) return;
    if (!timed_out_ && Clock::now() >= deadline_) {
      timed_out_ = true;
      for (Running& running : running_) running.handle->cancel();
    }
    std::string out;
    bool all_whole = true;
    for (size_t i = 0; i < running_.size(); ++i) {
      drain(i, out);
      if (error_) {
        fail(writer, std::move(out));
        return;
      }
      all_whole = all_whole && running_[i].whole;
    }
    if (all_whole) answer_->complete(out);
    ended_ = all_whole;
    if (answer_->streams()) {
      write(writer, out);
      if (ended_) writer.end();
    } else if (ended_) {
      writer.respond(json_response(std::move(out)));
    }
  }

 private:
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    bool whole = false;
  };

  /// Takes what there is of one prompt. Sets error_ where it cannot be answered.
  void drain(size_t prompt, std::string& out) {
    Running& running = running_[prompt];
    while (!running.whole && !error_) {
      const Next next = running.handle->poll();
      if (next.pending()) return;
      if (next.ended()) {
        finish(prompt, out);
      } else if (next->finish_reason == FinishReason::kError) {
        set_failure(*running.handle);
      } else if (next->finish_reason == FinishReason::kCancelled && !timed_out_) {
        error_ = ApiError(503, "server_error", "The server is shutting down.");
      } else {
        answer_->add(prompt, *next, out);
      }
    }
  }

  void finish(size_t prompt, std::string& out) {
    Running& running = running_[prompt];
    const Result& result = running.handle->result();
    if (result.error.empty()) {
      answer_->prompt_ended(prompt, result, out);
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

  void write(http::Writer& writer, const std::string& events) {
    if (events.empty()) return;
    if (!std::exchange(started_, true)) {
      http::Response head;
      head.headers.add("Content-Type", "text/event-stream; charset=utf-8");
      head.headers.add("Cache-Control", "no-cache");
      head.headers.add("X-Accel-Buffering", "no");  // nginx would hold the events back
      writer.start(std::move(head));
    }
    writer.write(events);
  }

  void fail(http::Writer& writer, std::string out) {
    ended_ = true;
    if (started_) {
      answer_->failed(*error_, out);
      write(writer, out);
      writer.end();
    } else {
      writer.respond(answer_->refusal(*error_));
    }
    running_.clear();  // cancels the others
  }

  std::unique_ptr<Answer> answer_;
  const std::chrono::seconds time_out_;
  const Clock::time_point deadline_;
  bool started_ = false;  // the head of the stream is out
  bool ended_ = false;
  bool timed_out_ = false;
  std::optional<ApiError> error_;
  std::vector<Running> running_;  // by prompt
};

}  // namespace

std::unique_ptr<http::Work> answer_with(const Call& call, std::vector<std::unique_ptr<RequestHandle>> handles,
                                        std::unique_ptr<Answer> answer) {
  return std::make_unique<EngineWork>(std::move(handles), std::move(answer), call.services.config.request_timeout);
}

std::shared_ptr<Admission::Ticket> admit(Services& services, int count) {
  const int limit = services.config.max_waiting_requests;
  std::shared_ptr<Admission::Ticket> ticket = services.admission.enter(count, limit);
  if (ticket == nullptr) {
    throw ApiError(429, "rate_limit_error",
                   fmt::format("Too many requests: {} are waiting already, of at most {}. Try again later.",
                               services.admission.waiting(), limit),
                   std::nullopt, "rate_limit_exceeded");
  }
  return ticket;
}

OnNews leave_with_first_news(std::shared_ptr<Admission::Ticket> ticket, http::Wake wake) {
  return [ticket = std::move(ticket), wake = std::move(wake), started = false]() mutable {
    if (!std::exchange(started, true)) ticket->one_started();
    wake();
  };
}

}  // namespace caravel::server
