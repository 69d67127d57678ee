#include "server/endpoint/exchange.h"

#include <utility>

namespace caravel::server {
namespace {

/// Stands between work and connection, so that no endpoint need know of logs and headers: as the connection's work it
/// lets the endpoint's advance, and as that one's writer it sees what is sent.
class WatchedWork final : public http::Work, private http::Writer {
 public:
  WatchedWork(std::shared_ptr<Exchange> exchange, std::unique_ptr<Work> work,
              std::function<void(const Exchange&)> on_end)
      : exchange_(std::move(exchange)), work_(std::move(work)), on_end_(std::move(on_end)) {}
  ~WatchedWork() override {
    work_.reset();
    on_end_(*exchange_);
  }
  WatchedWork(const WatchedWork&) = delete;
  WatchedWork& operator=(const WatchedWork&) = delete;

  void advance(http::Writer& writer) override {
    writer_ = &writer;
    try {
      work_->advance(*this);
    } catch (...) {
      if (exchange_->status == 0) {
        // The connection answers 500 by itself.
        exchange_->status = 500;
        exchange_->complete = true;
      }
      throw;
    }
  }
  bool probe(http::Writer& writer) override { return work_->probe(writer); }
  bool takes_long() const override { return work_->takes_long(); }
  void cut() override { work_->cut(); }
  Clock::time_point wake_time() const override { return work_->wake_time(); }

 private:
  void respond(http::Response response) override {
    begin(response);
    exchange_->complete = true;
    writer_->respond(std::move(response));
  }
  void start(http::Response head) override {
    begin(head);
    writer_->start(std::move(head));
  }
  void write(std::string_view piece) override { writer_->write(piece); }
  void end() override {
    exchange_->complete = true;
    writer_->end();
  }

  void begin(http::Response& response) {
    exchange_->status = response.status;
    for (const auto& [name, value] : exchange_->headers.fields()) response.headers.add(name, value);
  }

  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<Work> work_;
  std::function<void(const Exchange&)> on_end_;
  http::Writer* writer_ = nullptr;  // the connection's, while it advances
};

}  // namespace

std::unique_ptr<http::Work> watch(std::shared_ptr<Exchange> exchange, std::unique_ptr<http::Work> work,
                                  std::function<void(const Exchange&)> on_end) {
  return std::make_unique<WatchedWork>(std::move(exchange), std::move(work), std::move(on_end));
}

}  // namespace caravel::server
