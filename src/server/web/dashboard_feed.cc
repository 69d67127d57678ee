#include "server/web/dashboard_feed.h"

#include "base/clock.h"
#include "server/web/feed_encoder.h"
#include "server/web/ticker.h"

namespace caravel::server::web {
namespace {

/// Between events while nothing changes, so that proxies and readers see that the connection lives.
constexpr double kHeartbeat = 10;  // seconds

class Watch final : public http::Work {
 public:
  Watch(Engine& engine, const std::atomic<bool>& ending, const http::Wake& wake)
      : engine_(engine), ending_(ending), subscription_(ticker_->subscribe(wake)) {}
  ~Watch() override { ticker_->unsubscribe(subscription_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void advance(http::Writer& writer) override {
    if (!started_) {
      http::Response head;
      head.headers.add("Content-Type", "text/event-stream");
      head.headers.add("Cache-Control", "no-store");
      writer.start(std::move(head));
      started_ = true;
    }
    if (ending_) {
      writer.end();
      return;
    }
    const std::optional<std::string> event = encoder_.encode(engine_.monitor(encoder_.last_step()), engine_.model());
    if (event) {
      writer.write("data: " + *event + "\n\n");
    } else if (seconds_since(last_write_) > kHeartbeat) {
      writer.write(": still here\n\n");
    } else {
      return;
    }
    last_write_ = Clock::now();
  }

 private:
  Engine& engine_;
  const std::atomic<bool>& ending_;
  std::shared_ptr<Ticker> ticker_ = Ticker::shared();
  uint64_t subscription_;
  FeedEncoder encoder_;
  bool started_ = false;
  Clock::time_point last_write_ = Clock::now();
};

}  // namespace

std::unique_ptr<http::Work> dashboard_events(Engine& engine, const std::atomic<bool>& ending,
                                             const http::Request& /*request*/, const http::Wake& wake) {
  return std::make_unique<Watch>(engine, ending, wake);
}

}  // namespace caravel::server::web
