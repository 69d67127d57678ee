// What a client sees of little memory.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "fixtures.h"
#include "server/client.h"
#include "server/fake_engine.h"
#include "server/serve.h"

namespace caravel::server {
namespace {

using Json = nlohmann::ordered_json;

ServeConfig serve_config() {
  ServeConfig config;
  config.http.port = 0;
  config.log_requests = false;
  return config;
}

http::Response post(const App& app, const std::string& path, const std::string& body) {
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  return ask(app.port(), request);
}

/// A fixture's model whose pool has so many blocks of 16 tokens, and a template that repeats the last message.
std::unique_ptr<Engine> engine_of(int64_t blocks) {
  EngineConfig config{.model = tests::fixtures() + "/models/llama",
                      .threads = 1,
                      .kv_cache_memory = 8 << 20,
                      .max_num_seqs = 64,
                      .seed = 1,
                      .chat_template = "{{ messages[-1].content }}"};
  const auto info = Engine::open(config)->model();
  config.kv_cache_memory = info.kv_pool_bytes / info.kv_blocks * blocks;
  return Engine::open(config);
}

TEST(SmallMemory, AnswersAreCutOnEveryEndpoint) {
  const auto engine = engine_of(4);
  ASSERT_EQ(engine->model().max_model_len, 64);
  const auto app = App::start(*engine, serve_config());
  const auto answer = [&](const std::string& path, Json body) {
    body["ignore_eos"] = true;
    const http::Response response = post(*app, path, body.dump());
    EXPECT_EQ(response.status, 200) << path << response.body;
    return Json::parse(response.body);
  };
  const Json messages = {{{"role", "user"}, {"content", "Hello"}}};
  for (const Json& more : {Json::object(), Json{{"max_tokens", 100'000}}, Json{{"max_completion_tokens", 4000}},
                           Json{{"n", 3}, {"temperature", 1}}}) {
    Json body = {{"messages", messages}};
    body.update(more);
    const Json whole = answer("/v1/chat/completions", body);
    for (const Json& choice : whole["choices"]) EXPECT_EQ(choice["finish_reason"], "length") << more;
    EXPECT_GT(whole["usage"]["completion_tokens"], 10) << more;
    EXPECT_LE(whole["usage"]["total_tokens"], 66) << more;
  }
  EXPECT_EQ(answer("/v1/completions", {{"prompt", {5, 6}}, {"max_tokens", 5000}})["choices"][0]["finish_reason"],
            "length");
  const Json response = answer("/v1/responses", {{"input", "Hello"}});
  EXPECT_EQ(response["status"], "incomplete");
  EXPECT_EQ(response["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(answer("/v1/messages", {{"messages", messages}, {"max_tokens", 50'000}})["stop_reason"], "max_tokens");
  Json models = Json::parse([&] {
    http::Request request;
    request.method = "GET";
    request.path = "/v1/models";
    return ask(app->port(), request).body;
  }());
  EXPECT_EQ(models["data"][0]["max_model_len"], 64);
}

TEST(SmallMemory, OnlyAPromptThatCannotFitIsRefused) {
  const auto engine = engine_of(4);
  const auto app = App::start(*engine, serve_config());
  const Json body = {{"prompt", std::vector<int>(64, 5)}};
  const http::Response refused = post(*app, "/v1/completions", body.dump());
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "context_length_exceeded");
}

class EngineWithoutRoom final : public FakeEngine {
 public:
  explicit EngineWithoutRoom(const Tokenizer& tokenizer) : tokenizer_(tokenizer) { info.vocab_size = 320; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  std::unique_ptr<RequestHandle> submit(Request, OnNews) override { throw CapacityError("no room"); }

 private:
  const Tokenizer& tokenizer_;
};

TEST(SmallMemory, ErrorsAboutItDoNotBlameTheGrammar) {
  const auto engine = engine_of(16);
  const auto app = App::start(*engine, serve_config());
  Json body = {{"prompt", std::vector<int>(17, 5)},
               {"max_tokens", 8},
               {"temperature", 1},
               {"n", 20},
               {"structured_outputs", {{"regex", "[a-z]+"}}}};
  const http::Response answers = post(*app, "/v1/completions", body.dump());
  EXPECT_EQ(answers.status, 400) << answers.body;
  EXPECT_EQ(Json::parse(answers.body)["error"]["param"], "n");

  EngineWithoutRoom full(engine->tokenizer());
  const auto other = App::start(full, serve_config());
  const http::Response rows = post(*other, "/v1/completions", body.dump());
  EXPECT_EQ(rows.status, 400) << rows.body;
  EXPECT_TRUE(Json::parse(rows.body)["error"]["param"].is_null()) << rows.body;
  EXPECT_NE(rows.body.find("no room"), std::string::npos) << rows.body;
}

/// A client that sends a head and a part of its body, and then nothing.
class HalfBody {
 public:
  HalfBody(uint16_t port, size_t length, size_t sent) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string text =
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
        std::string(sent, ' ');
    EXPECT_EQ(::send(socket_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  ~HalfBody() { ::close(socket_); }
  HalfBody(const HalfBody&) = delete;
  HalfBody& operator=(const HalfBody&) = delete;

 private:
  int socket_;
};

/// Runs nothing: every body of the test below is refused once it is read whole.
class EngineOfLittle final : public FakeEngine {
 public:
  explicit EngineOfLittle(const Tokenizer& tokenizer) : tokenizer_(tokenizer) { info.memory.bodies = 2'000'000; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }

 private:
  const Tokenizer& tokenizer_;
};

TEST(SmallMemory, BodiesHaveTheirShare) {
  const auto tokenizer_of = engine_of(4);
  EngineOfLittle engine(tokenizer_of->tokenizer());
  const auto app = App::start(engine, serve_config());
  EXPECT_EQ(post(*app, "/v1/completions", std::string(41'000, ' ')).status, 413);
  const std::string largest(39'900, ' ');
  EXPECT_EQ(post(*app, "/v1/completions", largest).status, 400);
  {
    const HalfBody first(app->port(), 40'000, 39'000);
    const HalfBody second(app->port(), 40'000, 39'000);
    const HalfBody third(app->port(), 40'000, 39'000);
    http::Response busy;
    for (int tries = 0; tries < 1000 && busy.status != 429; ++tries) busy = post(*app, "/v1/completions", largest);
    EXPECT_EQ(busy.status, 429) << busy.body;
    EXPECT_EQ(busy.headers.find("Retry-After"), "1");
    EXPECT_EQ(Json::parse(busy.body)["error"]["code"], "rate_limit_exceeded");
    const http::Response message = post(*app, "/v1/messages", largest);
    EXPECT_EQ(Json::parse(message.body)["error"]["type"], "rate_limit_error") << message.body;
    EXPECT_EQ(post(*app, "/v1/completions", "{}").status, 400) << "a small one goes through";
  }
  http::Response later;
  for (int tries = 0; tries < 1000 && later.status != 400; ++tries) later = post(*app, "/v1/completions", largest);
  EXPECT_EQ(later.status, 400) << "what they held is there again";
}

}  // namespace
}  // namespace caravel::server
