#include "server/openai/generation.h"

#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "server/openai/sampling_fields.h"

namespace caravel::server::openai {
namespace {

/// Engine::submit, whose complaints are about the grammar where they name no other field: prompts were looked at
/// before.
std::unique_ptr<RequestHandle> submit(Engine& engine, const Generation& generation, Request request,
                                      std::function<void()> on_news) {
  try {
    return engine.submit(std::move(request), std::move(on_news));
  } catch (const InvalidField&) {
    throw;
  } catch (const Error& error) {
    if (generation.grammar_field.empty()) throw;
    throw bad_field(generation.grammar_field, error.what());
  }
}

/// Drains the engine's handles into an answer, whenever the connection can take something.
class GenerationWork final : public http::Work {
 public:
  GenerationWork(const Context& context, const http::Request& request, const http::Wake& wake,
                 const Generation& generation, std::unique_ptr<Answer> answer)
      : answer_(std::move(answer)), stream_(generation.stream) {
    const auto count = static_cast<int>(generation.prompts.size());
    const auto ticket = context.admission->enter(count, context.config.max_waiting_requests);
    if (ticket == nullptr) {
      throw ApiError(429, "rate_limit_error",
                     fmt::format("Too many requests: {} are waiting already, of at most {}. Try again later.",
                                 context.admission->waiting(), context.config.max_waiting_requests),
                     std::nullopt, "rate_limit_exceeded");
    }
    for (size_t i = 0; i < generation.prompts.size(); ++i) {
      Running running;
      running.handle = submit(context.engine, generation,
                              {.id = count == 1 ? request.id : fmt::format("{}-{}", request.id, i),
                               .prompt = generation.prompts[i].tokens,
                               .sampling = generation.sampling,
                               .priority = generation.priority,
                               .cache_salt = generation.cache_salt},
                              [ticket, wake, started = false]() mutable {
                                if (!std::exchange(started, true)) ticket->one_started();
                                wake();
                              });
      running.record = context.recorder.arrived(generation.endpoint);
      running_.push_back(std::move(running));
    }
    deadlines_ = context.deadlines.get();
    deadline_ = deadlines_->add(Clock::now() + context.config.request_timeout, wake);
  }

  ~GenerationWork() override { deadlines_->remove(deadline_); }
  GenerationWork(const GenerationWork&) = delete;
  GenerationWork& operator=(const GenerationWork&) = delete;

  void advance(http::Writer& writer) override {
    if (ended_) return;
    if (!timed_out_ && Clock::now() >= deadline_.first) {
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
    if (stream_) {
      write(writer, out);
      if (ended_) writer.end();
    } else if (ended_) {
      http::Response response{.status = 200, .headers = {}, .body = std::move(out)};
      response.headers.add("Content-Type", "application/json");
      writer.respond(std::move(response));
    }
  }

 private:
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    std::unique_ptr<metrics::RequestRecord> record;
    FinishReason reason = FinishReason::kNone;  // of the answer that ended last
    bool whole = false;
  };

  /// Takes what there is of one prompt. Sets error_ where it cannot be answered.
  void drain(size_t prompt, std::string& out) {
    Running& running = running_[prompt];
    while (!running.whole) {
      bool timed_out = false;
      const std::optional<Delta> delta = running.handle->next_until(Clock::time_point(), &timed_out);
      if (timed_out) return;
      if (!delta) {
        finish(prompt, out);
        return;
      }
      const bool stopped = delta->finish_reason == FinishReason::kCancelled && !timed_out_;
      if (stopped) error_ = ApiError(503, "server_error", "The server is shutting down.");
      if (delta->finish_reason == FinishReason::kError) {
        log::error("request {} failed: {}", running.handle->id(), running.handle->result().error);
        error_ = ApiError(500, "server_error", "The engine failed while it processed the request.");
      }
      if (delta->finish_reason != FinishReason::kNone) running.reason = delta->finish_reason;
      if (error_) {
        running.record->finished(running.reason, running.handle->result().usage);
        return;
      }
      if (!delta->token_ids.empty()) running.record->tokens(static_cast<int>(delta->token_ids.size()));
      answer_->add(prompt, *delta, out);
    }
  }

  void finish(size_t prompt, std::string& out) {
    Running& running = running_[prompt];
    const Result& result = running.handle->result();
    running.record->finished(running.reason, result.usage);
    answer_->prompt_ended(prompt, result, out);
    running.whole = true;
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
  bool stream_;
  bool started_ = false;  // the head of the stream is out
  bool ended_ = false;
  bool timed_out_ = false;
  std::optional<ApiError> error_;
  Deadlines* deadlines_ = nullptr;
  Deadlines::Id deadline_;
  std::vector<Running> running_;  // by prompt
};

}  // namespace

Generation begin_generation(Fields& fields, const RequestHead& head, const Context& context, std::string endpoint) {
  return {.endpoint = std::move(endpoint),
          .prompts = {},
          .sampling = parse_sampling(fields, context.engine.generation_defaults()),
          .priority = head.priority,
          .cache_salt = head.cache_salt,
          .stream = head.stream};
}

std::unique_ptr<http::Work> generate(const Context& context, const http::Request& request, const http::Wake& wake,
                                     const Generation& generation, std::unique_ptr<Answer> answer) {
  return std::make_unique<GenerationWork>(context, request, wake, generation, std::move(answer));
}

}  // namespace caravel::server::openai
