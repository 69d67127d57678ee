#include "server/metrics/recorder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "server/fake_engine.h"

namespace caravel::server::metrics {
namespace {

class Recorded : public testing::Test {
 protected:
  /// The value of a sample, by its name and labels as they are written; -1 where there is none.
  double value(const std::string& sample) { return value(*recorder_, sample); }
  static double value(Recorder& recorder, const std::string& sample) {
    const std::string text = "\n" + recorder.exposition();
    const size_t at = text.find("\n" + sample + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + sample.size() + 2));
  }

  FakeEngine engine_;
  std::unique_ptr<Recorder> recorder_ = Recorder::make(engine_, "tiny", false);
};

TEST_F(Recorded, ARequestFromItsArrivalToItsEnd) {
  auto record = recorder_->arrived("/v1/completions");
  EXPECT_EQ(1, value("caravel:requests_in_flight{endpoint=\"/v1/completions\",model_name=\"tiny\"}"));
  record->tokens(1);
  record->tokens(2);
  record->finished(FinishReason::kStop, {.prompt_tokens = 12, .completion_tokens = 3, .cached_tokens = 0});
  record.reset();
  EXPECT_EQ(0, value("caravel:requests_in_flight{endpoint=\"/v1/completions\",model_name=\"tiny\"}"));
  EXPECT_EQ(1, value("caravel:request_success_total{finished_reason=\"stop\",model_name=\"tiny\"}"));
  EXPECT_EQ(-1, value("caravel:request_success_total{finished_reason=\"abort\",model_name=\"tiny\"}"));
  EXPECT_EQ(1, value("caravel:time_to_first_token_seconds_count{model_name=\"tiny\"}"));
  EXPECT_EQ(2, value("caravel:inter_token_latency_seconds_count{model_name=\"tiny\"}"));
  EXPECT_EQ(1, value("caravel:e2e_request_latency_seconds_count{model_name=\"tiny\"}"));
  EXPECT_EQ(12, value("caravel:request_prompt_tokens_sum{model_name=\"tiny\"}"));
  EXPECT_EQ(3, value("caravel:request_generation_tokens_sum{model_name=\"tiny\"}"));
  EXPECT_EQ(0, value("caravel:request_prompt_tokens_bucket{model_name=\"tiny\",le=\"10\"}"));
  EXPECT_EQ(1, value("caravel:request_prompt_tokens_bucket{model_name=\"tiny\",le=\"20\"}"));
}

TEST_F(Recorded, TimeToTheFirstTokenIsMeasuredFromTheArrival) {
  const auto record = recorder_->arrived("/v1/completions");
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  record->tokens(1);
  record->tokens(1);
  EXPECT_GE(value("caravel:time_to_first_token_seconds_sum{model_name=\"tiny\"}"), 0.03);
  EXPECT_LT(value("caravel:inter_token_latency_seconds_sum{model_name=\"tiny\"}"), 0.03);
}

TEST_F(Recorded, WhoGoesAwayIsAnAbort) {
  recorder_->arrived("/v1/completions").reset();
  EXPECT_EQ(1, value("caravel:request_success_total{finished_reason=\"abort\",model_name=\"tiny\"}"));
  EXPECT_EQ(0, value("caravel:e2e_request_latency_seconds_count{model_name=\"tiny\"}"));
}

TEST_F(Recorded, TheEnginesFiguresAreOfNow) {
  engine_.now = {.waiting_requests = 3,
                 .running_requests = 2,
                 .total_blocks = 200,
                 .used_blocks = 50,
                 .steps = 9,
                 .prompt_tokens = 100,
                 .cached_tokens = 60,
                 .generated_tokens = 40,
                 .preemptions_swap = 4};
  EXPECT_EQ(2, value("caravel:num_requests_running{model_name=\"tiny\"}"));
  EXPECT_EQ(3, value("caravel:num_requests_waiting{model_name=\"tiny\"}"));
  EXPECT_EQ(0.25, value("caravel:kv_cache_usage_perc{model_name=\"tiny\"}"));
  EXPECT_EQ(160, value("caravel:prompt_tokens_total{model_name=\"tiny\"}"));
  EXPECT_EQ(160, value("caravel:prefix_cache_queries_total{model_name=\"tiny\"}"));
  EXPECT_EQ(60, value("caravel:prefix_cache_hits_total{model_name=\"tiny\"}"));
  EXPECT_EQ(40, value("caravel:generation_tokens_total{model_name=\"tiny\"}"));
  EXPECT_EQ(4, value("caravel:num_preemptions_total{kind=\"swap\",model_name=\"tiny\"}"));
  engine_.now.running_requests = 7;
  EXPECT_EQ(7, value("caravel:num_requests_running{model_name=\"tiny\"}"));
}

TEST_F(Recorded, ExchangesByEndpointAndStatus) {
  recorder_->answered("/v1/completions", 200, 0.5);
  recorder_->answered("/v1/completions", 200, 0.25);
  recorder_->answered("/v1/completions", 400, 0.001);
  EXPECT_EQ(2, value("caravel:http_requests_total{endpoint=\"/v1/completions\",model_name=\"tiny\",status=\"200\"}"));
  EXPECT_EQ(1, value("caravel:http_requests_total{endpoint=\"/v1/completions\",model_name=\"tiny\",status=\"400\"}"));
  EXPECT_NEAR(0.751,
              value("caravel:http_request_duration_seconds_sum{endpoint=\"/v1/completions\",model_name=\"tiny\"}"),
              1e-9);
}

TEST_F(Recorded, TheProcess) {
  EXPECT_GT(value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(value("process_open_fds"), 3);
  const double before = value("process_open_fds");
  const int descriptor = ::dup(0);
  EXPECT_EQ(before + 1, value("process_open_fds"));
  ::close(descriptor);
  EXPECT_GE(value("caravel:uptime_seconds"), 0);
  EXPECT_GT(value("process_start_time_seconds"), 1.7e9);
}

TEST_F(Recorded, UnderVllmsNames) {
  engine_.now = {.total_blocks = 4, .used_blocks = 1};
  const auto recorder = Recorder::make(engine_, "tiny", true);
  recorder->arrived("/v1/completions")->tokens(1);
  EXPECT_EQ(0.25, value(*recorder, "vllm:kv_cache_usage_perc{model_name=\"tiny\"}"));
  EXPECT_EQ(0.25, value(*recorder, "vllm:gpu_cache_usage_perc{model_name=\"tiny\"}"));
  EXPECT_EQ(1, value(*recorder, "vllm:time_to_first_token_seconds_count{model_name=\"tiny\"}"));
  EXPECT_EQ(0, value(*recorder, "vllm:time_per_output_token_seconds_count{model_name=\"tiny\"}"));
  EXPECT_EQ(std::string::npos, recorder->exposition().find("caravel:"));
}

TEST_F(Recorded, FromManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < 200; ++round) {
        const auto record = recorder_->arrived("/v1/completions");
        record->tokens(1);
        record->finished(FinishReason::kLength, {});
        recorder_->answered("/v1/completions", 200, 0.1);
        if (round % 50 == 0) recorder_->exposition();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(800, value("caravel:request_success_total{finished_reason=\"length\",model_name=\"tiny\"}"));
}

}  // namespace
}  // namespace caravel::server::metrics
