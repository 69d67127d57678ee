#include "server/web/dashboard_feed.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "fixtures.h"

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

/// As the connection does: at the time that the work names, which is a few times a second.
void advance_in_time(http::Work& work, http::Writer& writer) {
  const Clock::time_point time = work.wake_time();
  std::this_thread::sleep_until(time);
  work.advance(writer);
  EXPECT_GE(work.wake_time() - time, 100ms);
  EXPECT_LE(work.wake_time() - Clock::now(), 500ms);
}

TEST(DashboardFeed, StreamsEventsAsTheEngineMovesAndEndsWithTheServer) {
  const auto engine =
      Engine::open({.model = tests::fixtures() + "/models/llama", .threads = 1, .kv_cache_memory = 8 << 20});
  bool ending = false;
  const auto work = dashboard_events(*engine, [&] { return ending; });
  TextWriter writer;
  work->advance(writer);
  EXPECT_EQ(writer.head.headers.find("content-type"), "text/event-stream");
  ASSERT_TRUE(writer.body.starts_with("data: {") && writer.body.ends_with("}\n\n")) << writer.body;

  writer.body.clear();
  advance_in_time(*work, writer);
  EXPECT_EQ(writer.body, "") << "nothing has changed";

  engine->submit({.prompt = std::vector<int32_t>{1, 2, 3}, .sampling = {.max_tokens = 5, .ignore_eos = true}})
      ->result();
  advance_in_time(*work, writer);
  const auto event = nlohmann::json::parse(writer.body.substr(6));
  EXPECT_EQ(event["steps"].size(), 5U);
  EXPECT_EQ(event["engine"]["finished_requests"], 1);
  EXPECT_FALSE(writer.ended);

  ending = true;
  advance_in_time(*work, writer);
  EXPECT_TRUE(writer.ended);
}

}  // namespace
}  // namespace caravel::server::web
