#include "server/web/dashboard_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <semaphore>
#include <string>

#include "server/web/ticker.h"

namespace caravel::server::web {
namespace {

using namespace std::chrono_literals;

class TextWriter final : public http::Writer {
 public:
  void respond(http::Response response) override { head = std::move(response); }
  void start(http::Response response) override { head = std::move(response); }
  void write(std::string_view piece) override { body += piece; }
  void end() override { ended = true; }

  http::Response head;
  std::string body;
  bool ended = false;
};

TEST(DashboardFeed, StreamsEventsAsTheEngineMovesAndEndsWithTheServer) {
  const auto engine = Engine::open(
      {.model = std::string(CARAVEL_FIXTURES) + "/models/llama", .threads = 1, .kv_cache_memory = 8 << 20});
  std::atomic<bool> ending{false};
  std::counting_semaphore<> woken(0);
  const auto work = dashboard_events(*engine, ending, {}, [&] { woken.release(); });
  TextWriter writer;
  work->advance(writer);
  EXPECT_EQ(writer.head.headers.find("content-type"), "text/event-stream");
  ASSERT_TRUE(writer.body.starts_with("data: {") && writer.body.ends_with("}\n\n")) << writer.body;

  writer.body.clear();
  ASSERT_TRUE(woken.try_acquire_for(60s));
  work->advance(writer);
  EXPECT_EQ(writer.body, "") << "nothing has changed";

  engine->submit({.prompt = std::vector<int32_t>{1, 2, 3}, .sampling = {.max_tokens = 5, .ignore_eos = true}})
      ->result();
  ASSERT_TRUE(woken.try_acquire_for(60s));
  work->advance(writer);
  const auto event = nlohmann::json::parse(writer.body.substr(6));
  EXPECT_EQ(event["steps"].size(), 5U);
  EXPECT_EQ(event["engine"]["finished_requests"], 1);
  EXPECT_FALSE(writer.ended);

  ending = true;
  ASSERT_TRUE(woken.try_acquire_for(60s));
  work->advance(writer);
  EXPECT_TRUE(writer.ended);
}

TEST(Ticker, LivesAsLongAsSomebodyHoldsItAndWakesNobodyAfterwards) {
  std::atomic<int> ticks{0};
  std::weak_ptr<Ticker> seen;
  {
    const std::shared_ptr<Ticker> ticker = Ticker::shared();
    EXPECT_EQ(ticker, Ticker::shared());
    seen = ticker;
    const uint64_t first = ticker->subscribe([&] { ++ticks; });
    const uint64_t second = ticker->subscribe([] {});
    EXPECT_NE(first, second);
    while (ticks < 2) std::this_thread::sleep_for(10ms);
    ticker->unsubscribe(first);
    const int before = ticks;
    std::this_thread::sleep_for(2 * Ticker::kPeriod);
    EXPECT_EQ(ticks, before);
  }
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace caravel::server::web
