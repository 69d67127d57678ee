#include <gtest/gtest.h>

#include <thread>

#include "server/exchange_recorder.h"
#include "server/fake_engine.h"
#include "server/status.h"

namespace caravel::server {
namespace {

/// The endpoints on an engine that does what a test says.
struct Watched {
  FakeEngine engine;
  ServeConfig config;
  std::unique_ptr<metrics::Recorder> recorder = metrics::Recorder::make(engine, "fake", false);
  Services services{.context = {.engine = engine,
                                .config = config,
                                .model_names = {"fake"},
                                .chat_template = nullptr,
                                .chat_template_source = "",
                                .tool_format = chat::ToolFormat::kNone,
                                .recorder = *recorder},
                    .stall = StallWatch(std::chrono::milliseconds(20)),
                    .http_figures = [] { return metrics::HttpFigures{.connections = 5}; },
                    .draining = [] { return false; },
                    .scores = 0};

  int health() { return server::health(services, {}).status; }
};

TEST(Health, FailsWhileTheEngineHangs) {
  Watched server;
  EXPECT_EQ(200, server.health());
  server.engine.now.running_requests = 1;
  EXPECT_EQ(200, server.health());
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  EXPECT_EQ(503, server.health());
  ++server.engine.now.steps;
  EXPECT_EQ(200, server.health());
}

TEST(Health, OfAnEngineWithNothingToDoIsGood) {
  Watched server;
  EXPECT_EQ(200, server.health());
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  EXPECT_EQ(200, server.health());
}

TEST(Metrics, IncludeTheHttpSide) {
  Watched server;
  const http::Response answer = metrics_text(server.services, {});
  EXPECT_NE(std::string::npos, answer.body.find("caravel:http_connections{model_name=\"fake\"} 5\n"));
  EXPECT_TRUE(answer.headers.find("Content-Type").value_or("").starts_with("text/plain; version=0.0.4"));
}

}  // namespace
}  // namespace caravel::server
