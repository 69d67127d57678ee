#include "server/exchange.h"

#include <utility>

namespace caravel::server {
namespace {

class WatchedWriter final : public http::Writer {
 public:
  WatchedWriter(Exchange& exchange, http::Writer& writer) : exchange_(exchange), writer_(writer) {}

  void respond(http::Response response) override {
    begin(response);
    exchange_.complete = true;
    writer_.respond(std::move(response));
  }
  void start(http::Response head) override {
    begin(head);
    writer_.start(std::move(head));
  }
  void write(std::string_view piece) override { writer_.write(piece); }
  void end() override {
    exchange_.complete = true;
    writer_.end();
  }

 private:
  void begin(http::Response& response) {
    exchange_.status = response.status;
    for (const auto& [name, value] : exchange_.headers.fields()) response.headers.add(name, value);
  }

  Exchange& exchange_;
  http::Writer& writer_;
};

class WatchedWork final : public http::Work {
 public:
  WatchedWork(std::shared_ptr<Exchange> exchange, std::unique_ptr<Work> work,
              std::function<void(const Exchange&)> on_end)
      : exchange_(std::move(exchange)), work_(std::move(work)), on_end_(std::move(on_end)) {}
  ~WatchedWork() override {
    work_.reset();
    on_end_(*exchange_);
  }

  void advance(http::Writer& writer) override {
    WatchedWriter watched(*exchange_, writer);
    try {
      work_->advance(watched);
    } catch (...) {
      if (exchange_->status == 0) {
        // The connection answers 500 by itself.
        exchange_->status = 500;
        exchange_->complete = true;
      }
      throw;
    }
  }
  Clock::time_point wake_time() const override { return work_->wake_time(); }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<Work> work_;
  std::function<void(const Exchange&)> on_end_;
};

}  // namespace

std::unique_ptr<http::Work> watch(std::shared_ptr<Exchange> exchange, std::unique_ptr<http::Work> work,
                                  std::function<void(const Exchange&)> on_end) {
  return std::make_unique<WatchedWork>(std::move(exchange), std::move(work), std::move(on_end));
}

}  // namespace caravel::server
