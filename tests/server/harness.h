#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "caravel/monitor.h"
#include "engine/engine_impl.h"
#include "fields/json.h"
#include "fixtures.h"
#include "server/endpoint/answer.h"
#include "server/endpoint/api_error.h"
#include "server/endpoint/call.h"
#include "server/endpoint/engine_work.h"
#include "server/written.h"

namespace caravel::server {

/// Wakes that were not slept through.
class Bell {
 public:
  http::Wake wake() {
    return [state = state_] {
      const std::lock_guard lock(state->mutex);
      ++state->rings;
      state->rung.notify_all();
    };
  }
  /// Until it has rung since the last wait(), or until `time`.
  void wait(Clock::time_point time = Clock::time_point::max()) {
    std::unique_lock lock(state_->mutex);
    const Clock::time_point limit = Clock::now() + std::chrono::minutes(5);
    const bool rung = state_->rung.wait_until(lock, std::min(time, limit), [&] { return state_->rings > heard_; });
    ASSERT_TRUE(rung || time < limit);
    heard_ = state_->rings;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable rung;
    int rings = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  int heard_ = 0;
};

/// Counts what it is told.
class CountingRecorder final : public metrics::Recorder {
 public:
  std::unique_ptr<metrics::RequestRecord> arrived(const std::string&) override {
    ++arrivals;
    return std::make_unique<Record>(*this);
  }
  void answered(const std::string&, int, double) override {}
  std::string exposition(const metrics::HttpFigures&) override { return ""; }

  std::atomic<int> arrivals = 0, generated = 0, finished = 0;

 private:
  struct Record final : metrics::RequestRecord {
    explicit Record(CountingRecorder& r) : recorder(r) {}
    void tokens(int count) override { recorder.generated += count; }
    void finished(FinishReason, const Usage&) override { ++recorder.finished; }
    CountingRecorder& recorder;
  };
};

/// A chat template in few tokens: the fixtures' vocabulary is small, and their context short. It marks reasoning as
/// Qwen's does.
inline constexpr const char* kTemplate =
    "{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}"
    "{{ c.function.name }}({{ c.function.arguments.city }}){% endfor %}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if tools %}T{{ tools | length }}<tool_call></tool_call>{{ '\\n' }}{% endif %}"
    "{% if add_generation_prompt %}<a>{% endif %}{% if think %}<think>\n</think>{% endif %}";

/// An engine on a tiny random model (256 tokens of context, a vocabulary of 320), and what the endpoints need.
class Harness {
 public:
  explicit Harness(ServeConfig serve = {}, const engine::EngineHooks& hooks = {})
      : config(std::move(serve)),
        engine(std::make_unique<engine::EngineImpl>(EngineConfig{.model = tests::fixtures() + "/models/llama",
                                                                 .threads = 1,
                                                                 .kv_cache_memory = 8 << 20,
                                                                 .max_num_seqs = 16,
                                                                 .max_num_batched_tokens = 128,
                                                                 .swap_space = 1 << 20,
                                                                 .seed = 1},
                                                    hooks)) {}

  /// The endpoint's work on a request; what is wrong with that is work, too.
  std::unique_ptr<http::Work> begin(Endpoint endpoint, const std::string& body, const http::Wake& wake,
                                    const std::string& path = "") {
    const http::Request request{
        .id = "test", .method = "POST", .path = path, .query = "", .headers = {}, .body = body, .peer = ""};
    try {
      const Call call{.services = services, .request = request, .wake = wake, .exchange = exchange};
      admit(call, 1);
      return endpoint(call);
    } catch (const std::exception& error) {
      return http::ready(refuse(error));
    }
  }
  /// Answered whole, with every wake heard.
  http::Response call(Endpoint endpoint, const std::string& body, const std::string& path = "") {
    Bell bell;
    Written written;
    const std::unique_ptr<http::Work> work = begin(endpoint, body, bell.wake(), path);
    work->advance(written);
    while (!written.done()) {
      bell.wait(work->wake_time());
      if (testing::Test::HasFatalFailure()) return {};
      work->advance(written);
    }
    return written.response();
  }
  Json json(Endpoint endpoint, const Json& body, int status = 200) {
    const http::Response response = call(endpoint, to_text(body));
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.headers.find("content-type"), "application/json");
    return Json::parse(response.body);
  }
  /// The data of a stream's events; OpenAI's last one, [DONE], is asserted and left out.
  std::vector<Json> stream(Endpoint endpoint, Json body) {
    body["stream"] = true;
    return events(call(endpoint, to_text(body)));
  }

  static std::vector<Json> events(const http::Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_TRUE(response.headers.find("content-type").value_or("").starts_with("text/event-stream"));
    std::vector<Json> list;
    size_t begin = 0;
    bool done = false;
    while (begin < response.body.size()) {
      const size_t end = response.body.find("\n\n", begin);
      if (end == std::string::npos) {
        ADD_FAILURE() << "an event without an end: " << response.body.substr(begin);
        break;
      }
      std::string event = response.body.substr(begin, end - begin);
      begin = end + 2;
      std::string name;
      if (event.starts_with("event: ")) {
        name = event.substr(7, event.find('\n') - 7);
        event = event.substr(event.find('\n') + 1);
      }
      EXPECT_TRUE(event.starts_with("data: ")) << event;
      EXPECT_FALSE(done) << "an event after [DONE]";
      done = event == "data: [DONE]";
      if (done) continue;
      list.push_back(Json::parse(event.substr(6)));
      EXPECT_TRUE(name.empty() || list.back()["type"] == name) << event;
    }
    return list;
  }

  void expect_all_free() {
    engine->monitor().check_integrity();
    EXPECT_EQ(engine->stats().used_blocks, 0);
    EXPECT_EQ(services.admission.waiting(), 0);
  }

  ServeConfig config;
  std::unique_ptr<Engine> engine;
  CountingRecorder recorder;
  Services services{.engine = *engine,
                    .config = config,
                    .model_names = {"tiny", "tiny-too"},
                    .renderer = chat::Renderer(engine->tokenizer(), kTemplate, "hermes"),
                    .recorder = recorder,
                    .stall = StallWatch(std::chrono::seconds(30)),
                    .http_figures = [] { return metrics::HttpFigures(); },
                    .draining = [] { return false; }};
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>();  // all calls have the same
  http::Response (*refuse)(const std::exception&) = error_response;   // how the endpoints' clients are told
};

/// What an answer makes of all that the handle gives.
inline std::string text_of(RequestHandle& handle, Answer& answer) {
  AnswerText out;
  std::deque<Delta> deltas;
  while (Next next = handle.next()) answer.add(0, deltas.emplace_back(std::move(*next)), out);
  answer.prompt_ended(0, handle.result(), out);
  answer.complete(out);
  std::string text;
  while (!out.empty()) out.take(text);
  return text;
}

/// Chunks of completions or chats, joined to what the whole answer holds: {"choices": [...], "usage"}. Texts, lists and
/// calls' arguments are appended; what stands alone is taken from the last chunk that has it.
inline Json joined(const std::vector<Json>& chunks) {
  const auto append = [](Json& sum, const Json& more) {
    if (sum.is_null()) {
      sum = more;
    } else if (more.is_string()) {
      sum.get_ref<std::string&>() += more.get_ref<const std::string&>();
    } else {
      for (const Json& item : more) sum.push_back(item);
    }
  };
  Json whole = {{"choices", Json::array()}};
  for (const Json& chunk : chunks) {
    if (chunk.contains("usage") && !chunk["usage"].is_null()) whole["usage"] = chunk["usage"];
    for (const Json& piece : chunk["choices"]) {
      const auto index = piece["index"].get<size_t>();
      while (whole["choices"].size() <= index) whole["choices"].push_back({{"index", whole["choices"].size()}});
      Json& choice = whole["choices"][index];
      for (const char* key : {"text", "token_ids", "prompt_token_ids"}) {
        if (piece.contains(key)) append(choice[key], piece[key]);
      }
      for (const char* key : {"finish_reason", "stop_reason"}) {
        if (!choice.contains(key) || !piece[key].is_null()) choice[key] = piece[key];
      }
      if (!piece["logprobs"].is_null()) {
        for (const auto& [key, value] : piece["logprobs"].items()) {
          if (value.is_array()) append(choice["logprobs"][key], value);
        }
      }
      if (!piece.contains("delta")) continue;
      Json& message = choice["message"];
      for (const auto& [key, value] : piece["delta"].items()) {
        if (key != "tool_calls") {
          append(message[key], value);
          continue;
        }
        for (const Json& call : value) {
          Json& calls = message["tool_calls"];
          const auto number = call["index"].get<size_t>();
          while (calls.size() <= number) calls.push_back({{"function", {{"arguments", ""}}}});
          if (call["function"].contains("name")) calls[number]["function"]["name"] = call["function"]["name"];
          if (call["function"].contains("arguments")) {
            append(calls[number]["function"]["arguments"], call["function"]["arguments"]);
          }
        }
      }
    }
  }
  return whole;
}

/// What joined() can tell, of a whole answer.
inline Json comparable(const Json& answer) {
  Json whole = {{"choices", Json::array()}};
  if (answer.contains("usage")) whole["usage"] = answer["usage"];
  for (Json choice : answer["choices"]) {
    if (choice["logprobs"].is_null()) {
      choice.erase("logprobs");
    } else {
      choice["logprobs"].erase("refusal");
    }
    if (choice.contains("message")) {
      Json& message = choice["message"];
      message.erase("refusal");
      if (message["content"].is_null()) message["content"] = "";
      if (message.contains("tool_calls")) {
        for (Json& call : message["tool_calls"]) {
          call.erase("id");
          call.erase("type");
        }
      }
    }
    whole["choices"].push_back(std::move(choice));
  }
  return whole;
}

/// As a map, so that the order of keys does not count.
inline nlohmann::json unordered(const Json& json) { return nlohmann::json::parse(json.dump()); }

#define EXPECT_SAME_JSON(a, b) EXPECT_EQ(unordered(a), unordered(b))

}  // namespace caravel::server
