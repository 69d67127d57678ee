#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "caravel/engine.h"
#include "fixtures.h"
#include "server/client.h"
#include "server/serve.h"

namespace caravel::server {
namespace {

using Json = nlohmann::ordered_json;

/// A server on a tiny random model, over real sockets.
class Served : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    engine_ = Engine::open({.model = tests::fixtures() + "/models/llama",
                            .threads = 1,
                            .kv_cache_memory = 8 << 20,
                            .max_num_seqs = 16,
                            .seed = 1});
  }
  static void TearDownTestSuite() { engine_.reset(); }

  static ServeConfig config() {
    ServeConfig config;
    config.http.port = 0;
    config.served_model_names = {"tiny", "alias"};
    config.allowed_origins = {"https://a.example"};
    config.log_requests = false;
    return config;
  }

  void start(const ServeConfig& with) { app_ = App::start(*engine_, with); }

  http::Response send(const std::string& method, const std::string& path, const std::string& body = "",
                      const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    if (!app_) start(config());
    http::Request request;
    request.method = method;
    request.path = path;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = body;
    return ask(app_->port(), request);
  }
  Json post(const std::string& path, const Json& body, int status = 200) {
    const http::Response answer = send("POST", path, body.dump(), {{"Content-Type", "application/json"}});
    EXPECT_EQ(status, answer.status) << answer.body;
    return Json::parse(answer.body);
  }

  static std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> own_engine_;  // of a test that wants another one
  std::unique_ptr<App> app_;
};

std::unique_ptr<Engine> Served::engine_;

TEST_F(Served, WhatIsNotThereIsAnsweredAsOpenAiDoes) {
  const http::Response missing = send("GET", "/v1/nothing");
  EXPECT_EQ(404, missing.status);
  EXPECT_EQ("unknown_url", Json::parse(missing.body)["error"]["code"]);
  const http::Response wrong = send("GET", "/v1/completions");
  EXPECT_EQ(405, wrong.status);
  EXPECT_EQ("POST, OPTIONS", wrong.headers.find("Allow").value_or(""));
  EXPECT_EQ("method_not_allowed", Json::parse(wrong.body)["error"]["code"]);
}

TEST_F(Served, KeysMayHaveEachTheirPrefixCache) {
  const auto cached = [&](const char* key) {
    const Json body = {{"prompt", std::vector<int>(64, 9)}, {"max_tokens", 1}};
    const auto answer = send("POST", "/v1/completions", body.dump(), {{"Authorization", std::string("Bearer ") + key}});
    return Json::parse(answer.body)["usage"]["prompt_tokens_details"]["cached_tokens"].get<int>();
  };
  for (const bool apart : {false, true}) {
    ServeConfig with = config();
    with.api_keys = {"mine", "yours"};
    with.prefix_cache_per_key = apart;
    app_.reset();
    start(with);
    cached("mine");
    EXPECT_GE(cached("mine"), 48);
    EXPECT_EQ(cached("yours") == 0, apart);
    EXPECT_GE(cached("yours"), 48);
  }
}

TEST_F(Served, EveryAnswerHasARequestId) {
  const http::Response own = send("GET", "/health");
  EXPECT_FALSE(own.headers.find("X-Request-Id").value_or("").empty());
  const http::Response given = send("GET", "/nowhere", "", {{"X-Request-Id", "mine-17"}});
  EXPECT_EQ("mine-17", given.headers.find("X-Request-Id").value_or(""));
  EXPECT_EQ("nosniff", given.headers.find("X-Content-Type-Options").value_or(""));
}

TEST_F(Served, RefusalsAtTheGateHaveTheSameHeaders) {
  ServeConfig keyed = config();
  keyed.api_keys = {"key"};
  start(keyed);
  const http::Response refused = send("POST", "/v1/completions", "{}", {{"Origin", "https://a.example"}});
  EXPECT_EQ(401, refused.status);
  EXPECT_EQ("https://a.example", refused.headers.find("Access-Control-Allow-Origin").value_or(""));
  EXPECT_TRUE(refused.headers.find("X-Request-Id"));
}

TEST_F(Served, ACrossOriginPageAsksFirst) {
  const std::vector<std::pair<std::string, std::string>> headers = {{"Origin", "https://a.example"},
                                                                    {"Access-Control-Request-Method", "POST"}};
  const http::Response answer = send("OPTIONS", "/v1/completions", "", headers);
  EXPECT_EQ(204, answer.status);
  EXPECT_EQ("https://a.example", answer.headers.find("Access-Control-Allow-Origin").value_or(""));
  EXPECT_EQ("POST, OPTIONS", answer.headers.find("Access-Control-Allow-Methods").value_or(""));
}

TEST_F(Served, PagesLoadNothingFromElsewhere) {
  const http::Response page = send("GET", "/");
  ASSERT_EQ(200, page.status);
  EXPECT_TRUE(page.headers.find("Content-Type").value_or("").starts_with("text/html"));
  const std::string_view policy = page.headers.find("Content-Security-Policy").value_or("");
  EXPECT_NE(std::string::npos, policy.find("default-src 'none'"));
  EXPECT_EQ(std::string::npos, policy.find("unsafe"));
  EXPECT_EQ(std::string::npos, policy.find("http"));
  const std::string tag(page.headers.find("ETag").value_or(""));
  EXPECT_EQ(304, send("GET", "/", "", {{"If-None-Match", tag}}).status);
  EXPECT_EQ(404, send("GET", "/web/nothing.js").status);
}

TEST_F(Served, TokensThereAndBack) {
  const Json there = post("/tokenize", {{"prompt", "hello world"}, {"return_token_strs", true}});
  EXPECT_EQ(there["tokens"].size(), there["count"]);
  EXPECT_EQ(there["tokens"].size(), there["token_strs"].size());
  EXPECT_EQ(engine_->model().max_model_len, there["max_model_len"]);
  const Json bare = post("/tokenize", {{"prompt", "hello world"}, {"add_special_tokens", false}, {"model", "alias"}});
  EXPECT_EQ(engine_->tokenizer().encode("hello world", {.add_special = false}),
            bare["tokens"].get<std::vector<int32_t>>());
  EXPECT_EQ("hello world", post("/detokenize", {{"tokens", bare["tokens"]}})["prompt"]);
}

TEST_F(Served, WrongTokensAreNamed) {
  EXPECT_EQ("tokens.1", post("/detokenize", {{"tokens", {1, 1'000'000}}}, 400)["error"]["param"]);
  EXPECT_EQ("prompt", post("/tokenize", {{"model", "tiny"}}, 400)["error"]["param"]);
  EXPECT_EQ("unheard_of", post("/tokenize", {{"prompt", "a"}, {"unheard_of", 1}}, 400)["error"]["param"]);
  EXPECT_EQ("model_not_found", post("/tokenize", {{"prompt", "a"}, {"model", "other"}}, 404)["error"]["code"]);
}

/// The least that each request needs, in each of its forms.
const std::multimap<std::string, Json>& smallest_requests() {
  static const std::multimap<std::string, Json> kRequests = {
      {"/v1/completions", {{"prompt", "a"}, {"max_tokens", 1}}},
      {"/v1/chat/completions", {{"messages", {{{"role", "user"}, {"content", "a"}}}}, {"max_tokens", 1}}},
      {"/v1/responses", {{"input", "a"}, {"max_output_tokens", 1}}},
      {"/v1/messages", {{"messages", {{{"role", "user"}, {"content", "a"}}}}, {"max_tokens", 1}}},
      {"/v1/messages/count_tokens", {{"messages", {{{"role", "user"}, {"content", "a"}}}}}},
      {"/v1/embeddings", {{"input", "a"}}},
      {"/v1/score", {{"prefix", "a"}, {"continuations", {"b"}}}},
      {"/tokenize", {{"prompt", "a"}}},
      {"/tokenize", {{"messages", {{{"role", "user"}, {"content", "a"}}}}}},
      {"/detokenize", {{"tokens", {1}}}},
  };
  return kRequests;
}

TEST_F(Served, TheDocumentNamesTheFieldsThatAreTaken) {
  own_engine_ = Engine::open({.model = tests::fixtures() + "/models/llama",
                              .threads = 1,
                              .kv_cache_memory = 8 << 20,
                              .max_num_seqs = 16,
                              .seed = 1,
                              .chat_template = "{{ messages[0].content }}"});
  app_ = App::start(*own_engine_, config());
  const Json document = Json::parse(send("GET", "/openapi.json").body);
  const Json& schemas = document["components"]["schemas"];
  std::set<std::string> every;
  std::map<std::string, std::set<std::string>> named;
  for (const auto& [path, item] : document["paths"].items()) {
    if (!item.contains("post") || !item["post"].contains("requestBody")) continue;
    const std::string reference = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    for (const auto& [field, schema] : schemas[reference.substr(reference.rfind('/') + 1)]["properties"].items()) {
      named[path].insert(field);
      every.insert(field);
    }
  }
  for (const auto& [path, fields] : named) {
    ASSERT_TRUE(smallest_requests().contains(path)) << path;
    for (const std::string& field : every) {
      bool known = false;
      bool refused = true;
      const auto [begin, end] = smallest_requests().equal_range(path);
      for (auto form = begin; form != end; ++form) {
        Json body = form->second;
        body[field] = -1.5;  // right for hardly any: what is known is complained of, if at all, by its type
        const http::Response answer = send("POST", path, body.dump());
        const bool unknown = answer.body.find("Unknown parameter") != std::string::npos;
        known = known || !unknown;
        refused = refused && (unknown || answer.body.find("Unsupported parameter") != std::string::npos);
      }
      EXPECT_TRUE(fields.contains(field) ? known : refused) << path << " " << field;
    }
  }
}

TEST_F(Served, ScoresAreTheEngines) {
  const std::vector<int32_t> prefix = {5, 6, 7};
  const std::vector<std::vector<int32_t>> continuations = {{8, 9}, {10}};
  const std::vector<Score> expected = engine_->score({.items = {{prefix, continuations}}})->result().scores.at(0);
  const Json answer = post("/v1/score", {{"prefix", prefix}, {"continuations", continuations}});
  ASSERT_EQ(2U, answer["data"].size());
  for (size_t i = 0; i < 2; ++i) {
    const Json& score = answer["data"][i];
    EXPECT_EQ(i, score["index"]);
    EXPECT_DOUBLE_EQ(expected[i].logprob, score["logprob"].get<double>());
    EXPECT_EQ(continuations[i], score["token_ids"].get<std::vector<int32_t>>());
    EXPECT_EQ(expected[i].token_logprobs, score["token_logprobs"].get<std::vector<float>>());
  }
  EXPECT_EQ(6, answer["usage"]["prompt_tokens"]);
}

TEST_F(Served, TheGreedyContinuationSaysThatItIs) {
  const std::vector<int32_t> prefix = {5, 6, 7};
  const auto handle =
      engine_->submit({.prompt = prefix, .sampling = {.max_tokens = 3, .temperature = 0.0F, .ignore_eos = true}});
  std::vector<int32_t> greedy = handle->result().completions.at(0).token_ids;
  std::vector<int32_t> other = greedy;
  other.back() = (other.back() + 1) % 300;
  const Json answer = post("/v1/score", {{"prefix", prefix}, {"continuations", {greedy, other}}});
  EXPECT_TRUE(answer["data"][0]["is_greedy"].get<bool>());
  EXPECT_FALSE(answer["data"][1]["is_greedy"].get<bool>());
}

TEST_F(Served, TextsAreScoredAsOneTextThatIsSplit) {
  const Json answer = post("/v1/score", {{"prefix", "one two "}, {"continuations", {"three", "four five"}}});
  const std::vector<int32_t> before = engine_->tokenizer().encode("one two");
  const std::vector<int32_t> whole = engine_->tokenizer().encode("one two three");
  const std::vector<int32_t> after(whole.begin() + static_cast<ptrdiff_t>(before.size()), whole.end());
  EXPECT_EQ(after, answer["data"][0]["token_ids"].get<std::vector<int32_t>>());
}

TEST_F(Served, WrongScoresAreNamed) {
  EXPECT_EQ("continuations", post("/v1/score", {{"prefix", "a"}}, 400)["error"]["param"]);
  EXPECT_EQ("continuations",
            post("/v1/score", {{"prefix", "a"}, {"continuations", Json::array()}}, 400)["error"]["param"]);
  EXPECT_EQ("continuations.0",
            post("/v1/score", {{"prefix", "a"}, {"continuations", Json::parse("[[1]]")}}, 400)["error"]["param"]);
  EXPECT_EQ("prefix", post("/v1/score", {{"prefix", 3}, {"continuations", {"a"}}}, 400)["error"]["param"]);
  const auto wrong = [&](const char* prefix, const char* continuations) {
    const Json body = {{"prefix", Json::parse(prefix)}, {"continuations", Json::parse(continuations)}};
    return post("/v1/score", body, 400)["error"]["param"];
  };
  EXPECT_EQ("prefix", wrong("[1000000]", "[[1]]"));
  EXPECT_EQ("prefix", wrong("[]", "[[1]]"));
  EXPECT_EQ("continuations.1", wrong("[1]", "[[1], [1000000]]"));
  EXPECT_EQ("continuations.1", wrong("[1]", "[[1], []]"));
  EXPECT_EQ("continuations.0", wrong("\"a\"", "[\"\"]"));
}

TEST_F(Served, CompletionsAreCounted) {
  const Json answer =
      post("/v1/completions", {{"prompt", {5, 6, 7}}, {"max_tokens", 4}, {"ignore_eos", true}, {"temperature", 0}});
  EXPECT_EQ(4, answer["usage"]["completion_tokens"]);
  const std::string metrics = send("GET", "/metrics").body;
  for (const char* line :
       {"caravel:request_success_total{finished_reason=\"length\",model_name=\"tiny\"} 1\n",
        "caravel:request_generation_tokens_sum{model_name=\"tiny\"} 4\n",
        "caravel:http_requests_total{endpoint=\"/v1/completions\",model_name=\"tiny\",status=\"200\"} 1"}) {
    EXPECT_NE(std::string::npos, metrics.find(line)) << line << metrics;
  }
}

TEST_F(Served, DrainingWaitsForWhatRuns) {
  start(config());
  const int64_t steps = engine_->stats().steps;
  std::thread client([port = app_->port()] {
    http::Request request;
    request.method = "POST";
    request.path = "/v1/completions";
    request.body = R"({"prompt": [5, 6], "max_tokens": 120, "ignore_eos": true})";
    EXPECT_EQ(120, Json::parse(ask(port, request).body)["usage"]["completion_tokens"]);
  });
  while (engine_->stats().steps == steps) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(app_->drain());
  client.join();
}

}  // namespace
}  // namespace caravel::server
