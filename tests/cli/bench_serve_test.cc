#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "cli/bench_serve_load.h"
#include "cli/bench_serve_page.h"
#include "cli/bench_serve_report.h"
#include "cli/bench_serve_workload.h"
#include "http/http.h"

namespace caravel::cli {
namespace {

using nlohmann::json;

/// A request that began at `start`, whose tokens came at `times`.
RequestRecord record_of(double start, std::vector<double> times) {
  RequestRecord record;
  record.sent = record.ended = true;
  record.start = start;
  record.end = times.back();
  record.input_tokens = 10;
  record.output_tokens = static_cast<int64_t>(times.size());
  record.times = std::move(times);
  return record;
}

TEST(BenchServeReport, CountsRatesLatenciesAndGoodput) {
  std::vector<RequestRecord> records = {record_of(1.0, {1.1, 1.2, 1.5}),
                                        record_of(2.0, {2.4, 2.5, 3.0}),
                                        record_of(2.5, {2.6}),
                                        RequestRecord{},
                                        RequestRecord{},
                                        RequestRecord{}};
  records[3].sent = records[3].ended = true;
  records[3].start = 1;
  records[3].end = 4;
  records[3].error = "second";
  records[4] = records[3];
  records[4].end = 2;
  records[4].error = "first";
  records[5].sent = true;  // and cut off
  const LoadReport report = make_report(records, {{"ttft", 200}, {"tpot", 250}});
  EXPECT_EQ(report.planned, 6u);
  EXPECT_EQ(report.completed, 3u);
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(report.interrupted, 1u);
  EXPECT_EQ(report.first_error, "first");
  EXPECT_DOUBLE_EQ(report.seconds, 3.0);
  EXPECT_EQ(report.input_tokens, 30);
  EXPECT_EQ(report.output_tokens, 7);
  EXPECT_EQ(report.peak_concurrency, 3u);
  EXPECT_EQ(report.good, 2u) << "the second came too late";
  EXPECT_THAT(report.latencies[0].sorted, testing::Pointwise(testing::DoubleNear(1e-9), {100.0, 100.0, 400.0}));
  EXPECT_THAT(report.latencies[1].sorted, testing::Pointwise(testing::DoubleNear(1e-9), {200.0, 300.0}));
  EXPECT_THAT(report.latencies[2].sorted, testing::Pointwise(testing::DoubleNear(1e-9), {100.0, 100.0, 300.0, 500.0}));
  EXPECT_THAT(report.latencies[3].sorted, testing::Pointwise(testing::DoubleNear(1e-9), {100.0, 500.0, 1000.0}));
  const nlohmann::ordered_json figures = report_json(report);
  EXPECT_DOUBLE_EQ(figures["output_tokens_per_second"].get<double>(), 7.0 / 3);
  EXPECT_DOUBLE_EQ(figures["goodput_requests_per_second"].get<double>(), 2.0 / 3);
  EXPECT_NEAR(figures["itl_ms"]["p50"].get<double>(), 200, 1e-9);
  EXPECT_NEAR(figures["e2el_ms"]["mean"].get<double>(), 1600.0 / 3, 1e-9);
  EXPECT_THAT(report_text(report), testing::HasSubstr("2 failed, 1 interrupted\n  first failure    first\n"));
}

TEST(BenchServeReport, ReadsBounds) {
  EXPECT_EQ(parse_slo("tpot:12.5").name, "tpot");
  EXPECT_DOUBLE_EQ(parse_slo("tpot:12.5").limit, 12.5);
  for (const char* bad : {"", "ttft", "ttft:", "itl:5", "ttft:x", "ttft:-1", "ttft:5s"}) {
    EXPECT_THROW(parse_slo(bad), InvalidArgument) << bad;
  }
}

TEST(BenchServeWorkload, ArrivesAsPoissonDoes) {
  constexpr int kCount = 20000;
  constexpr double kRate = 50;
  const std::vector<double> arrivals = poisson_arrivals(kCount, kRate, 1);
  EXPECT_EQ(arrivals.front(), 0);
  std::vector<double> gaps;
  for (size_t i = 1; i < arrivals.size(); ++i) gaps.push_back(arrivals[i] - arrivals[i - 1]);
  const double mean = arrivals.back() / static_cast<double>(gaps.size());
  double squares = 0;
  for (const double gap : gaps) squares += (gap - mean) * (gap - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(gaps.size()));
  // Both are 1 / rate; the mean of n exponential gaps strays by 1 / sqrt(n) of it, the deviation by about twice that.
  EXPECT_NEAR(mean * kRate, 1, 4 / std::sqrt(kCount));
  EXPECT_NEAR(deviation * kRate, 1, 8 / std::sqrt(kCount));
  EXPECT_EQ(arrivals, poisson_arrivals(kCount, kRate, 1));
  EXPECT_NE(arrivals, poisson_arrivals(kCount, kRate, 2));
  EXPECT_THAT(poisson_arrivals(3, 0, 1), testing::ElementsAre(0, 0, 0));
}

TEST(BenchServeWorkload, DrawsLengths) {
  double input = 0;
  double output = 0;
  for (const RequestLengths& each : sharegpt_like_lengths(20000, 3)) {
    ASSERT_TRUE(each.input >= 4 && each.input <= 1024 && each.output >= 4 && each.output <= 1024);
    input += each.input / 20000.0;
    output += each.output / 20000.0;
  }
  EXPECT_NEAR(input, 161, 25) << "cut at 1024";
  EXPECT_NEAR(output, 338, 25);
  int longer = 0;
  std::vector<int> seen(12);
  for (const RequestLengths& each : range_lengths(1000, {5, 9}, {7, 8}, 3)) {
    ASSERT_TRUE(each.input >= 5 && each.input <= 9);
    ASSERT_TRUE(each.output == 7 || each.output == 8);
    ++seen[static_cast<size_t>(each.input)];
    longer += each.output - 7;
  }
  for (size_t length = 5; length <= 9; ++length) EXPECT_GT(seen[length], 100);
  EXPECT_NEAR(longer, 500, 100);
  EXPECT_THROW(range_lengths(1, {5, 4}, {7, 7}, 3), InvalidArgument);
  EXPECT_THROW(range_lengths(1, {5, 5}, {0, 7}, 3), InvalidArgument);
}

TEST(BenchServeWorkload, MakesPromptsOfALength) {
  std::mt19937_64 random(1);
  const json ids = random_ids(50, 300, random);
  EXPECT_EQ(ids.size(), 50u);
  for (const json& id : ids) EXPECT_TRUE(id >= 256 && id <= 300);
  EXPECT_EQ(random_ids(5, 10, random), json::array({10, 10, 10, 10, 10}));
  const std::string words = random_words(7, random);
  EXPECT_EQ(std::ranges::count(words, ' '), 6);
}

class BenchServeDataset : public testing::Test {
 protected:
  std::string file(const std::string& text) const {
    std::ofstream(path_, std::ios::trunc) << text;
    return path_;
  }
  void TearDown() override { std::filesystem::remove(path_); }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / ("caravel-dataset-" + std::to_string(::getpid()));
};

TEST_F(BenchServeDataset, ReadsShareGpt) {
  const std::string path = file(R"([{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"12345678"}]},
    {"conversations":[{"from":"human","value":"alone"}]}, {"conversations":"no"}, 5])");
  const std::vector<PlannedRequest> planned = read_dataset(path, 3, std::nullopt, 0);
  ASSERT_EQ(planned.size(), 3u) << "again from the start";
  EXPECT_EQ(planned[2].prompt, "Hi");
  EXPECT_EQ(planned[2].lengths.output, 2);
  EXPECT_EQ(read_dataset(path, 1, 9, 0)[0].lengths.output, 9);
}

TEST_F(BenchServeDataset, ReadsLines) {
  const std::string path = file(
      "{\"prompt\":\"a\",\"output_len\":3}\n\n{\"messages\":[{\"role\":\"user\"}],\"max_tokens\":4}\n"
      "{\"prompt\":[1,2]}\n");
  std::vector<int> outputs;
  for (const PlannedRequest& planned : read_dataset(path, 2, std::nullopt, 0))
    outputs.push_back(planned.lengths.output);
  EXPECT_THAT(outputs, testing::UnorderedElementsAre(3, 4));
  EXPECT_EQ(read_dataset(path, 3, 5, 0).size(), 3u);
  EXPECT_THROW(read_dataset(file("{\"prompt\":\"a\"}\n"), 1, std::nullopt, 0), FormatError);
  EXPECT_THROW(read_dataset(file("{\"prompt\":\n"), 1, 5, 0), FormatError);
  EXPECT_THROW(read_dataset("/nowhere", 1, 5, 0), NotFound);
}

TEST(BenchServeAnswer, TimesTextAndTakesTheServersCounts) {
  const std::string first = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
  const std::string second =
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: {\"choices\":[{\"delta\":";
  const std::string third = "{\"content\":\"b\"}}]}\n\n";
  const std::string last =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";
  const std::string body = first + second + third + last;
  const std::vector<ReceivedPiece> pieces = {{first.size(), 1},
                                             {first.size() + second.size(), 2},
                                             {first.size() + second.size() + third.size(), 3},
                                             {body.size(), 4}};
  RequestRecord record;
  record.end = 4;
  read_answer(200, body, pieces, record);
  EXPECT_EQ(record.error, "");
  EXPECT_THAT(record.times, testing::ElementsAre(2, 3)) << "when the line that holds it was complete";
  EXPECT_EQ(record.input_tokens, 5);
  EXPECT_EQ(record.output_tokens, 4);
}

TEST(BenchServeAnswer, SaysWhyItIsNone) {
  const auto error_of = [](int status, const std::string& body) {
    RequestRecord record;
    read_answer(status, body, {{body.size(), 1}}, record);
    return record.error;
  };
  EXPECT_EQ(error_of(429, R"({"error":{"message":"too\nmany"}})"), "status 429: too many");
  EXPECT_EQ(error_of(502, "<html>"), "status 502: <html>");
  EXPECT_EQ(error_of(200, "data: {\"error\":{\"message\":\"died\"}}\n\n"), "died");
  EXPECT_THAT(error_of(200, "data: {\"choices\":[{\"text\":\"a\"}]}\n\n"), testing::HasSubstr("without [DONE]"));
  EXPECT_THAT(error_of(200, "data: {oops}\n\n"), testing::HasSubstr("not JSON"));
  EXPECT_EQ(error_of(200, "data: [DONE]\n\n"), "the answer has no text");
}

/// Streams as many tokens as asked for, but answers 429 to every third completion.
class FakeServer {
 public:
  FakeServer() {
    http::ServerConfig config;
    config.port = 0;
    config.handler_threads = 16;
    server_ = http::Server::listen(
        config, [this](const http::Request& request, const http::Wake&) { return http::ready(answer(request)); });
  }
  LoadTarget target() const {
    LoadTarget target;
    target.url = http::parse_url("http://127.0.0.1:" + std::to_string(server_->port()));
    target.model = "fake";
    return target;
  }
  std::vector<json> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  int most_at_once() const { return most_at_once_; }

  bool refuses = false;  // every third

 private:
  http::Response answer(const http::Request& request) {
    http::Response response;
    if (request.path == "/v1/models") {
      response.body = R"({"data":[{"id":"fake-model"}]})";
      return response;
    }
    const int running = ++running_;
    for (int most = most_at_once_; most < running && !most_at_once_.compare_exchange_weak(most, running);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    --running_;
    const json body = json::parse(request.body);
    const std::lock_guard lock(mutex_);
    bodies_.push_back(body);
    if (refuses && bodies_.size() % 3 == 0) {
      response.status = 429;
      response.body = R"({"error":{"message":"too many"}})";
      return response;
    }
    const int tokens = body["max_tokens"];
    for (int i = 0; i < tokens; ++i) response.body += "data: {\"choices\":[{\"text\":\" t\"}]}\n\n";
    const json usage = {{"prompt_tokens", body.value("prompt", json("")).size()}, {"completion_tokens", tokens}};
    response.body += "data: " + json{{"choices", json::array()}, {"usage", usage}}.dump() + "\n\ndata: [DONE]\n\n";
    return response;
  }

  std::mutex mutex_;
  std::vector<json> bodies_;
  std::atomic<int> running_ = 0;
  std::atomic<int> most_at_once_ = 0;
  std::unique_ptr<http::Server> server_;
};

std::vector<PlannedRequest> some_requests(int count) {
  std::mt19937_64 random(0);
  std::vector<PlannedRequest> planned;
  for (int i = 0; i < count; ++i) planned.push_back({random_ids(i + 1, 1000, random), {i + 1, 2 * i + 1}});
  return planned;
}

TEST(BenchServeLoad, MeasuresEveryRequest) {
  FakeServer server;
  LoadTarget target = server.target();
  target.ignore_eos = true;
  target.extra_body = {{"top_k", 5}};
  const std::vector<RequestRecord> records = run_load(target, some_requests(20), std::vector<double>(20), 4);
  int64_t input = 0;
  int64_t output = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].error, "");
    EXPECT_EQ(records[i].input_tokens, static_cast<int64_t>(i + 1));
    EXPECT_EQ(records[i].times.size(), 2 * i + 1);
    EXPECT_GE(records[i].first_token_seconds(), 0.003);
    input += records[i].input_tokens;
    output += records[i].output_tokens;
  }
  EXPECT_EQ(input, 210);
  EXPECT_EQ(output, 400);
  EXPECT_LE(server.most_at_once(), 4);
  EXPECT_GT(server.most_at_once(), 1);
  EXPECT_LE(make_report(records, {}).peak_concurrency, 4u);
  for (const json& body : server.bodies()) {
    EXPECT_EQ(body["model"], "fake");
    EXPECT_EQ(body["stream"], true);
    EXPECT_EQ(body["stream_options"]["include_usage"], true);
    EXPECT_EQ(body["ignore_eos"], true);
    EXPECT_EQ(body["top_k"], 5);
  }
}

TEST(BenchServeLoad, SendsWhenItIsTime) {
  FakeServer server;
  const std::vector<double> arrivals = {0, 0.05, 0.1};
  const std::vector<RequestRecord> records = run_load(server.target(), some_requests(3), arrivals, 0);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_GE(records[i].start, arrivals[i]);
    EXPECT_LT(records[i].start, arrivals[i] + 10);
  }
}

TEST(BenchServeLoad, CountsFailuresAndGoesOn) {
  FakeServer server;
  server.refuses = true;
  const LoadReport report =
      make_report(run_load(server.target(), some_requests(9), std::vector<double>(9), 1), {{"e2el", 60'000}});
  EXPECT_EQ(report.completed, 6u);
  EXPECT_EQ(report.failed, 3u);
  EXPECT_EQ(report.good, 6u);
  EXPECT_EQ(report.first_error, "status 429: too many");
}

TEST(BenchServeLoad, AsksBeforeTheLoad) {
  FakeServer server;
  EXPECT_EQ(served_model(server.target()), "fake-model");
  LoadTarget with_prefix = server.target();
  with_prefix.url.path = "/v1";
  EXPECT_EQ(served_model(with_prefix), "fake-model");
  const PlannedRequest one = some_requests(1).front();
  EXPECT_EQ(try_once(server.target(), one).output_tokens, 1);
  LoadTarget chat = server.target();
  chat.chat = true;
  try_once(chat, {"Hello", {.input = 1, .output = 1}});
  EXPECT_EQ(server.bodies().back()["messages"], json::parse(R"([{"role":"user","content":"Hello"}])"));
  LoadTarget nobody = server.target();
  nobody.url.port = 1;
  EXPECT_THROW(try_once(nobody, one), Error);
  EXPECT_THROW(served_model(nobody), Error);
}

TEST(BenchServePage, IsWholeForAnyLoad) {
  const std::vector<RequestRecord> records = {record_of(0, {0.1, 0.2, 0.5}), record_of(0.2, {0.4, 0.5, 3.0})};
  const std::string page = load_page(make_report(records, {{"ttft", 150}}), records, "a <b> & c");
  EXPECT_THAT(page, testing::StartsWith("<!doctype html>"));
  for (const char* part :
       {"<h1>a &#60;b&#62; &#38; c</h1>", "2 requests in 3.00 s", "<td>between tokens</td>",
        "<h3>Latency: share of samples below</h3>", "<p>bound of ttft: 150 ms</p>", "<h3>Output tokens per second</h3>",
        "<h3>Requests that run</h3>", "requests within the bounds"}) {
    EXPECT_THAT(page, testing::HasSubstr(part));
  }
  // The tokens under the curve are those of the answers.
  const std::string_view start = "id=\"plots\">";
  const size_t from = page.find(start) + start.size();
  const json plots = json::parse(page.substr(from, page.find("</script>", from) - from));
  double tokens = 0;
  for (const json& point : plots[1]["series"][0]["points"]) tokens += point[1].get<double>() * 3.0 / 60;
  EXPECT_NEAR(tokens, 6, 1e-6);
  for (const std::vector<RequestRecord>& few : {std::vector<RequestRecord>{}, std::vector<RequestRecord>(3)}) {
    EXPECT_THAT(load_page(make_report(few, {}), few, ""), testing::HasSubstr("There is nothing to draw."));
  }
}

}  // namespace
}  // namespace caravel::cli
