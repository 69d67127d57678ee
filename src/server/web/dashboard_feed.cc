#include "server/web/dashboard_feed.h"

#include <utility>

#include "base/clock.h"
#include "caravel/monitor.h"
#include "server/web/feed_encoder.h"

namespace caravel::server::web {
namespace {

/// Between looks at the engine.
constexpr std::chrono::milliseconds kPeriod{250};
/// Between events while nothing changes, so that proxies and readers see that the connection lives.
constexpr double kHeartbeat = 10;  // seconds

class Watch final : public http::Work {
 public:
  Watch(Engine& engine, std::function<bool()> ending) : engine_(engine), ending_(std::move(ending)) {}

  void advance(http::Writer& writer) override {
    last_look_ = Clock::now();
    if (!started_) {
      http::Response head;
      head.headers.add("Content-Type", "text/event-stream");
      head.headers.add("Cache-Control", "no-store");
      writer.start(std::move(head));
      started_ = true;
    }
    if (ending_()) {
      writer.end();
      return;
    }
    const std::optional<std::string> event =
        encoder_.encode(engine_.monitor().report(encoder_.last_step()), engine_.model());
    if (event) {
      writer.write("data: " + *event + "\n\n");
    } else if (seconds_since(last_write_) > kHeartbeat) {
      writer.write(": still here\n\n");
    } else {
      return;
    }
    last_write_ = last_look_;
  }
  Clock::time_point wake_time() const override { return last_look_ + kPeriod; }

 private:
  Engine& engine_;
  const std::function<bool()> ending_;
  FeedEncoder encoder_;
  bool started_ = false;
  Clock::time_point last_look_;
  Clock::time_point last_write_ = Clock::now();
};

}  // namespace

std::unique_ptr<http::Work> dashboard_events(Engine& engine, std::function<bool()> ending) {
  return std::make_unique<Watch>(engine, std::move(ending));
}

}  // namespace caravel::server::web
