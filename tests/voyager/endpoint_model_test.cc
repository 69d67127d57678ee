#include "voyager/endpoint_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "http/http.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::voyager {
namespace {

using http::test::eventually;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::string said(std::string_view text) {
  return "data: " + to_text({{"choices", {{{"delta", {{"content", text}}}}}}}) + "\n\n";
}

std::string ended(std::string_view reason = "stop") {
  return "data: " + to_text({{"choices", {{{"delta", Json::object()}, {"finish_reason", reason}}}}}) + "\n\n";
}

const std::string kUsage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3}}\n\n";
const std::string kDone = "data: [DONE]\n\n";

http::Response reply(int status, std::string body) {
  http::Response response{.status = status, .body = std::move(body)};
  response.headers.add("Content-Type", "text/event-stream");
  return response;
}

std::unique_ptr<http::Work> whole(std::string body, int status = 200) {
  return http::ready(reply(status, std::move(body)));
}

std::unique_ptr<http::Work> refused(int status, std::string_view message) {
  return whole(to_text({{"error", {{"message", message}}}}), status);
}

std::unique_ptr<http::Work> good(std::string_view text = "Mine 1 wood log") {
  return whole(said(text) + ended() + kUsage + kDone);
}

/// Begins an answer, and breaks the connection off, which its server logs.
class CutWork final : public http::Work {
 public:
  explicit CutWork(std::string body) : body_(std::move(body)) {}
  void advance(http::Writer& writer) override {
    if (body_.empty()) throw std::runtime_error("cut");
    writer.start(reply(200, ""));
    writer.write(std::exchange(body_, {}));
  }
  Clock::time_point wake_time() const override { return Clock::now() + milliseconds(20); }

 private:
  std::string body_;
};

/// Begins an answer, and says no more.
class SilentWork final : public http::Work {
 public:
  explicit SilentWork(std::string body) : body_(std::move(body)) {}
  void advance(http::Writer& writer) override {
    if (body_.empty()) return;
    writer.start(reply(200, ""));
    writer.write(std::exchange(body_, {}));
  }

 private:
  std::string body_;
};

/// A server that answers one request after another as it is told, and then well; with a client of it.
class EndpointModelTest : public testing::Test {
 protected:
  using Step = std::function<std::unique_ptr<http::Work>(const http::Request&)>;

  EndpointModelTest() {
    spdlog::set_level(spdlog::level::off);
    config_.endpoint.url = http::parse_url("http://127.0.0.1:" + std::to_string(server_->port()));
    config_.endpoint.patience = {.attempts = 3, .first = milliseconds(5), .most = milliseconds(20)};
    config_.model = "small";
    config_.prices = {.input = 2, .output = 10};
  }

  ~EndpointModelTest() override { spdlog::set_level(spdlog::level::info); }

  void then(Step step) { steps_.push_back(std::move(step)); }
  void then(int status, std::string message) {
    then([status, message](const http::Request&) { return refused(status, message); });
  }

  ModelAnswer ask(std::string schema = "") {
    if (model_ == nullptr) model_ = make_endpoint_model(config_);
    return model_->answer({.role = Role::kCritic,
                           .messages = {{.role = "system", .content = "Judge."}, {.role = "user", .content = "Done?"}},
                           .schema = std::move(schema)},
                          [this](std::string_view piece) { shown_ += piece; });
  }

  /// What it is told where there is no answer.
  std::string problem(std::string schema = "") {
    try {
      return "answered: " + ask(std::move(schema)).text;
    } catch (const ModelError& error) {
      return error.what();
    }
  }

  std::vector<Json> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

  EndpointModelConfig config_;
  std::unique_ptr<ChatModel> model_;
  std::string shown_;
  std::vector<http::Request> requests_;  // whoever looks has waited for their answers

 private:
  std::unique_ptr<http::Work> answer(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    bodies_.push_back(request.body.empty() ? Json() : parse_json(request.body));
    if (steps_.empty()) return good();
    const Step step = std::move(steps_.front());
    steps_.pop_front();
    return step(request);
  }

  std::mutex mutex_;
  std::deque<Step> steps_;
  std::vector<Json> bodies_;
  // Last: it is gone before what its handler uses.
  std::unique_ptr<http::Server> server_ = http::Server::listen(
      http::test::any_port(), [this](const http::Request& request, const http::Wake&) { return answer(request); });
};

TEST_F(EndpointModelTest, AsksForAStreamAndReadsIt) {
  config_.endpoint.api_key = "secret";
  config_.temperature = 0.2F;
  config_.max_tokens = 64;
  config_.seed = 9;
  config_.extra_body = {{"top_k", 5}};
  const ModelAnswer answer = ask();
  EXPECT_EQ(answer.text, "Mine 1 wood log");
  EXPECT_EQ(shown_, "Mine 1 wood log");
  EXPECT_EQ(answer.prompt_tokens, 11);
  EXPECT_EQ(answer.completion_tokens, 3);
  EXPECT_TRUE(answer.counted);
  EXPECT_DOUBLE_EQ(answer.cost, (11 * 2 + 3 * 10) / 1e6);
  EXPECT_GT(answer.seconds, 0);
  EXPECT_TRUE(answer.retries.empty());
  EXPECT_EQ(requests_.at(0).method, "POST");
  EXPECT_EQ(requests_.at(0).path, "/v1/chat/completions");
  EXPECT_EQ(requests_.at(0).headers.find("Authorization"), "Bearer secret");
  EXPECT_EQ(bodies().at(0), parse_json(R"({"model":"small","messages":[{"role":"system","content":"Judge."},
      {"role":"user","content":"Done?"}],"stream":true,"stream_options":{"include_usage":true},"temperature":0.2,
      "seed":9,"max_tokens":64,"top_k":5})"));
}

TEST_F(EndpointModelTest, AsksForASchemaUntilItIsRefused) {
  const std::string schema = R"({"type":"object"})";
  ask(schema);
  EXPECT_EQ(
      bodies().back()["response_format"],
      parse_json(R"({"type":"json_schema","json_schema":{"name":"critic","strict":true,"schema":{"type":"object"}}})"));
  then(400, "response_format is not supported");
  const ModelAnswer answer = ask(schema);
  EXPECT_EQ(answer.text, "Mine 1 wood log");
  EXPECT_THAT(answer.retries, ElementsAre("status 400: response_format is not supported; response_format is left out "
                                          "from here on"));
  ask(schema);
  EXPECT_EQ(bodies().size(), 4U);
  EXPECT_FALSE(bodies().back().contains("response_format"));
}

TEST_F(EndpointModelTest, LeavesOutWhatOtherServersDoNotKnow) {
  config_.temperature = 0.0F;
  config_.max_tokens = 64;
  then(400,
       "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
  then(400, "Unsupported value: 'temperature' does not support 0 with this model.");
  then(422, "extra fields not permitted: stream_options");
  EXPECT_EQ(ask().text, "Mine 1 wood log");
  const Json last = bodies().back();
  EXPECT_EQ(last["max_completion_tokens"], 64);
  for (const char* const gone : {"max_tokens", "temperature", "stream_options"})
    EXPECT_FALSE(last.contains(gone)) << gone;
  // Refused under whichever name, it is not asked for without end.
  then(400, "max_completion_tokens is unknown");
  then(400, "max_completion_tokens is unknown");
  EXPECT_THAT(problem(), HasSubstr("tried once: status 400"));
}

TEST_F(EndpointModelTest, KeepsWhatWasGivenForEveryBody) {
  config_.temperature = 0.0F;
  config_.extra_body = {{"temperature", 0.5}};
  then(400, "temperature is unknown");
  EXPECT_THAT(problem(), HasSubstr("tried once: status 400: temperature is unknown"));
  EXPECT_EQ(bodies().size(), 1U);
  EXPECT_EQ(bodies()[0]["temperature"], 0.5);
}

TEST_F(EndpointModelTest, EstimatesTokensThatNobodyCounted) {
  then([](const http::Request&) { return whole(said("12345678") + ended("length") + kDone); });
  const ModelAnswer answer = ask();
  EXPECT_FALSE(answer.counted);
  EXPECT_EQ(answer.prompt_tokens, 3);  // "Judge.", "Done?"
  EXPECT_EQ(answer.completion_tokens, 2);
  EXPECT_TRUE(answer.is_cut);
}

TEST_F(EndpointModelTest, TriesAgainWhatMayPass) {
  then(500, "out of order");
  then([](const http::Request&) { return std::make_unique<CutWork>(said("Mi")); });
  const ModelAnswer answer = ask();
  EXPECT_EQ(answer.text, "Mine 1 wood log");
  ASSERT_EQ(answer.retries.size(), 2U);
  EXPECT_EQ(answer.retries[0], "status 500: out of order");
  EXPECT_THAT(answer.retries[1], HasSubstr("the connection ended"));
  EXPECT_THAT(shown_, HasSubstr("[status 500: out of order; tried again in 0.0 s]"));
}

TEST_F(EndpointModelTest, GivesUpAfterSoManyAttempts) {
  for (int i = 0; i < 3; ++i) then([](const http::Request&) { return whole("<html>"); });
  EXPECT_THAT(problem(),
              testing::MatchesRegex("http://127.0.0.1:[0-9]+: tried 3 times: the answer is no chat's: <html>"));
  for (int i = 0; i < 3; ++i) then([](const http::Request&) { return whole(said("half")); });
  EXPECT_THAT(problem(), HasSubstr("tried 3 times: the stream ended before the answer did"));
  for (int i = 0; i < 3; ++i) then(503, "loading");
  EXPECT_THAT(problem(), HasSubstr("tried 3 times: status 503: loading"));
}

TEST_F(EndpointModelTest, DoesNotAskAgainWhereThatIsNoUse) {
  for (const int status : {400, 401, 403, 404, 501}) {
    then(status, "no");
    EXPECT_THAT(problem(), HasSubstr("tried once: status " + std::to_string(status) + ": no"));
  }
  then([](const http::Request&) {
    return whole(R"({"error":{"message":"pay first","code":"insufficient_quota"}})", 429);
  });
  EXPECT_THAT(problem(), HasSubstr("tried once: status 429: pay first"));
  then([](const http::Request&) { return whole("data: {\"error\":{\"message\":\"too long\",\"code\":400}}\n\n"); });
  EXPECT_THAT(problem(), HasSubstr("tried once: too long"));
}

TEST_F(EndpointModelTest, SaysWhereAServerSendsIt) {
  then([](const http::Request&) {
    http::Response moved = reply(308, "");
    moved.headers.add("Location", "https://there/v1/chat/completions");
    return http::ready(std::move(moved));
  });
  EXPECT_THAT(problem(),
              HasSubstr("tried once: status 308: what is asked for is at https://there/v1/chat/completions"));
  then([](const http::Request&) { return whole("", 404); });
  EXPECT_THAT(problem(), testing::EndsWith("tried once: status 404"));
}

TEST_F(EndpointModelTest, WaitsAsLongAsABusyServerAsks) {
  config_.endpoint.patience.first = milliseconds(60'000);
  then([](const http::Request&) {
    http::Response busy = reply(429, "{}");
    busy.headers.add("Retry-After", "0.1");
    return http::ready(std::move(busy));
  });
  const ModelAnswer answer = ask();
  EXPECT_GE(answer.seconds, 0.1);
  EXPECT_LT(answer.seconds, 30);
}

TEST_F(EndpointModelTest, LeavesASilentAnswer) {
  config_.endpoint.silence = milliseconds(60);
  then([](const http::Request&) { return std::make_unique<SilentWork>(said("Mi")); });
  const ModelAnswer answer = ask();
  EXPECT_EQ(answer.text, "Mine 1 wood log");
  EXPECT_THAT(answer.retries, ElementsAre("nothing came for 0.1 s"));
  // One that has said all it had to is taken, whether or not the connection ends.
  then([](const http::Request&) { return std::make_unique<SilentWork>(said("all") + ended() + kUsage); });
  EXPECT_EQ(ask().text, "all");
}

TEST_F(EndpointModelTest, LeavesOneThatTakesTooLongInAll) {
  config_.endpoint.whole = milliseconds(60);
  for (int i = 0; i < 3; ++i) then([](const http::Request&) { return std::make_unique<SilentWork>(said("Mi")); });
  EXPECT_THAT(problem(), HasSubstr("tried 3 times: no complete answer within 60 ms"));
}

TEST_F(EndpointModelTest, EndsAtOnceWhenInterrupted) {
  std::atomic<bool> gone = false;
  then([&](const http::Request&) {
    gone = true;
    return std::make_unique<SilentWork>(said("Mi"));
  });
  const Clock::time_point begin = Clock::now();
  {
    const InterruptScope scope(gone, /*gives_way=*/false);
    EXPECT_THROW(ask(), Interrupted);
  }
  EXPECT_LT(seconds_since(begin), 10);
  EXPECT_EQ(ask().text, "Mine 1 wood log");
}

TEST_F(EndpointModelTest, TakesLittleTimeOfItsOwn) {
  ask();
  const Clock::time_point begin = Clock::now();
  constexpr int kCalls = 50;
  for (int i = 0; i < kCalls; ++i) ask();
  EXPECT_LT(seconds_since(begin) / kCalls, 0.02);
}

TEST(EndpointModel, SaysThatNobodyListens) {
  EndpointModelConfig config{.model = "small"};
  {
    const auto server = http::Server::listen(http::test::any_port(), http::test::echo);
    config.endpoint.url = {.host = "127.0.0.1", .port = server->port(), .path = "/v1"};
  }
  config.endpoint.patience = {.attempts = 2, .first = milliseconds(1)};
  try {
    make_endpoint_model(config)->answer({}, {});
    ADD_FAILURE();
  } catch (const ModelError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/v1: tried 2 times: "));
    EXPECT_THAT(error.what(), HasSubstr("Connection refused"));
  }
}

TEST_F(EndpointModelTest, EmbedsTexts) {
  const auto embedder = make_endpoint_embedder(config_.endpoint, "vectors");
  EXPECT_EQ(embedder->name(), "vectors");
  const auto vector = [](std::string numbers) {
    return [numbers = std::move(numbers)](const http::Request&) {
      return whole("{\"data\":[{\"embedding\":[" + numbers + "]}]}");
    };
  };
  then(503, "later");
  then(vector("0.5,-1,2e-3"));
  EXPECT_THAT(embedder->embed("mine a log"), ElementsAre(0.5F, -1.0F, 2e-3F));
  EXPECT_EQ(requests_.at(0).path, "/v1/embeddings");
  EXPECT_EQ(bodies().at(0), parse_json(R"({"model":"vectors","input":"mine a log"})"));
  then(vector("1,2"));
  EXPECT_THROW(embedder->embed("other"), ModelError);
  for (const char* const numbers : {"\"a\"", "0.5,1e39", "0.5,-1e300"}) {
    for (int i = 0; i < 3; ++i) then(vector(numbers));
    EXPECT_THROW(embedder->embed("third"), ModelError) << numbers;
  }
}

TEST_F(EndpointModelTest, FindsTheModelThatIsServed) {
  Endpoint endpoint(config_.endpoint);
  then([](const http::Request&) { return whole(R"({"data":[{"id":"first"},{"id":"second"}]})"); });
  EXPECT_EQ(endpoint.served_model(), "first");
  EXPECT_EQ(requests_.at(0).method, "GET");
  EXPECT_EQ(requests_.at(0).path, "/v1/models");
  then([](const http::Request&) { return whole(R"({"data":[]})"); });
  EXPECT_THROW(endpoint.served_model(), ModelError);
}

}  // namespace
}  // namespace caravel::voyager
