#include <gtest/gtest.h>

#include <thread>

#include "fixtures.h"
#include "server/fake_engine.h"
#include "server/status.h"
#include "server/written.h"

namespace caravel::server {
namespace {

/// The endpoints on an engine that does what a test says.
struct Watched {
  FakeEngine engine;
  ServeConfig config;
  std::unique_ptr<metrics::Recorder> recorder = metrics::Recorder::make(engine, "fake", false);
  std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(tests::fixtures() + "/models/llama");
  Services services{.engine = engine,
                    .config = config,
                    .model_names = {"fake"},
                    .renderer = chat::Renderer(*tokenizer),
                    .recorder = *recorder,
                    .stall = StallWatch(std::chrono::milliseconds(20)),
                    .http_figures = [] { return metrics::HttpFigures{.connections = 5}; },
                    .draining = [] { return false; }};

  http::Response call(Endpoint endpoint) {
    Written written;
    endpoint({.services = services, .request = {}, .wake = [] {}, .exchange = nullptr})->advance(written);
    return written.response();
  }
  int health() { return call(server::health).status; }
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

TEST(Health, FailsOnceTheDeviceIsLost) {
  Watched server;
  server.engine.now.device_error = "the device is gone";
  const http::Response answer = server.call(server::health);
  EXPECT_EQ(503, answer.status);
  EXPECT_NE(std::string::npos, answer.body.find("the device is gone"));
}

TEST(Metrics, IncludeTheHttpSide) {
  Watched server;
  const http::Response answer = server.call(metrics_text);
  EXPECT_NE(std::string::npos, answer.body.find("caravel:http_connections{model_name=\"fake\"} 5\n"));
  EXPECT_TRUE(answer.headers.find("Content-Type").value_or("").starts_with("text/plain; version=0.0.4"));
}

}  // namespace
}  // namespace caravel::server
