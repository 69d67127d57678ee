#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "http/http.h"

namespace caravel::http::test {

/// A streamed answer whose pieces the test gives from any thread.
class Pipe {
 public:
  /// aside: its work says that it takes long. comment: with which a client that may have gone is probed.
  explicit Pipe(bool aside = false, std::string comment = "") : aside_(aside), comment_(std::move(comment)) {}
  void put(std::string_view piece) {
    change([&] { pending_ += piece; });
  }
  void end() {
    change([&] { ended_ = true; });
  }
  bool work_is_gone() const {
    const std::lock_guard lock(mutex_);
    return gone_;
  }
  int advances() const {
    const std::lock_guard lock(mutex_);
    return advances_;
  }

  /// The answer of one exchange; called by the handler.
  static std::unique_ptr<Work> work(const std::shared_ptr<Pipe>& pipe, const Wake& wake) {
    const std::lock_guard lock(pipe->mutex_);
    pipe->wake_ = wake;
    return std::make_unique<PipedWork>(pipe);
  }

 private:
  class PipedWork final : public Work {
   public:
    explicit PipedWork(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
    ~PipedWork() override {
      const std::lock_guard lock(pipe_->mutex_);
      pipe_->gone_ = true;
    }
    bool takes_long() const override { return pipe_->aside_; }
    bool probe(Writer& writer) override {
      writer.write(pipe_->comment_);
      return !pipe_->comment_.empty();
    }
    void advance(Writer& writer) override {
      std::string pending;
      bool ended = false;
      {
        const std::lock_guard lock(pipe_->mutex_);
        ++pipe_->advances_;
        pending.swap(pipe_->pending_);
        ended = pipe_->ended_;
      }
      if (!std::exchange(started_, true)) {
        Response head;
        head.headers.add("Content-Type", "text/plain");
        writer.start(std::move(head));
      }
      writer.write(pending);
      if (ended) writer.end();
    }

   private:
    std::shared_ptr<Pipe> pipe_;
    bool started_ = false;
  };

  template <typename Change>
  void change(Change apply) {
    Wake wake;
    {
      const std::lock_guard lock(mutex_);
      apply();
      wake = wake_;
    }
    if (wake) wake();
  }

  const bool aside_;
  const std::string comment_;
  mutable std::mutex mutex_;
  std::string pending_;
  bool ended_ = false;
  bool gone_ = false;
  int advances_ = 0;
  Wake wake_;
};

inline Response text_response(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

/// On a free port of 127.0.0.1.
inline ServerConfig any_port() {
  ServerConfig config;
  config.port = 0;
  return config;
}

/// Answers "METHOD PATH?QUERY BODY".
inline std::unique_ptr<Work> echo(const Request& request, const Wake&) {
  return ready(text_response(request.method + " " + request.path + "?" + request.query + " " + request.body));
}

}  // namespace caravel::http::test
