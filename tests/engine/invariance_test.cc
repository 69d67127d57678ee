// The same prompt gives the same tokens and log-probabilities, to the bit, whatever runs beside it and however it is
// cut, cached or interrupted.

#include <gtest/gtest.h>

#include <latch>

#include "device/cpu/isa.h"
#include "engine/harness.h"
#include "engine/watched_executor.h"

namespace caravel::engine {
namespace {

/// What is looked at everywhere: a greedy request and a drawn one with two answers, all log-probabilities asked for.
std::vector<Request> subjects() {
  SamplingParams greedy{.max_tokens = 20, .logprobs = 3, .prompt_logprobs = 2};
  SamplingParams drawn{.max_tokens = 20,
                       .temperature = 1.0F,
                       .top_p = 0.95F,
                       .repetition_penalty = 1.1F,
                       .seed = 42,
                       .n = 2,
                       .logprobs = 0,
                       .prompt_logprobs = 0};
  return {token_request(random_tokens(75, 1), greedy), token_request(random_tokens(40, 2), drawn)};
}

/// Submitted and waited for. submitted: counted down once all are in, for an engine that waits for that.
std::vector<Result> run_together(Engine& engine, std::vector<Request> requests, std::latch* submitted = nullptr) {
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (Request& request : requests) handles.push_back(engine.submit(std::move(request)));
  if (submitted != nullptr) submitted->count_down();
  std::vector<Result> results;
  for (const auto& handle : handles) results.push_back(handle->result());
  return results;
}

class Invariance : public testing::TestWithParam<std::string> {
 protected:
  EngineConfig config() const { return small_config(GetParam()); }

  /// One after the other, in an engine of its own.
  std::vector<Result> alone() const {
    TestEngine engine(config());
    std::vector<Result> results;
    for (Request& request : subjects()) results.push_back(run(engine, std::move(request)));
    expect_all_free(engine);
    return results;
  }

  static void expect_same_results(const std::vector<Result>& expected, const std::vector<Result>& results,
                                  const std::string& what) {
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(results[i].error, "") << what;
      expect_same(expected[i], results[i], what + ", subject " + std::to_string(i));
    }
  }
};

TEST_P(Invariance, InABatchOf32) {
  TestEngine engine(config());
  std::vector<Request> requests = subjects();
  for (uint32_t i = 0; i < 30; ++i) {
    requests.push_back(token_request(random_tokens(10 + 5 * i, 100 + i), {.max_tokens = 15, .temperature = 0.7F}));
  }
  expect_same_results(alone(), run_together(engine, std::move(requests)), "batch");
  EXPECT_GT(engine.stats().generated_tokens, 500);
  expect_all_free(engine);
}

TEST_P(Invariance, InChunksOfAnySize) {
  const auto expected = alone();
  for (const int budget : {16, 17, 31, 64, 512}) {
    EngineConfig chunked = config();
    chunked.max_num_batched_tokens = budget;
    TestEngine engine(chunked);
    expect_same_results(expected, run_together(engine, subjects()), "budget " + std::to_string(budget));
    expect_all_free(engine);
  }
}

TEST_P(Invariance, WithThePrefixCached) {
  const auto expected = alone();
  TestEngine engine(config());
  run_together(engine, subjects());
  const auto again = run_together(engine, subjects());
  expect_same_results(expected, again, "cached");
  for (const Result& result : again) EXPECT_GT(result.usage.cached_tokens, 0);
  // A block that another request left without log-probabilities, or with fewer, is computed again.
  TestEngine other(config());
  for (Request& request : subjects()) {
    request.sampling.prompt_logprobs.reset();
    run(other, std::move(request));
  }
  const auto results = run_together(other, subjects());
  expect_same_results(expected, results, "cached without log-probabilities");
  for (const Result& result : results) EXPECT_EQ(result.usage.cached_tokens, 0);
  expect_all_free(other);
}

TEST_P(Invariance, WithoutAPrefixCache) {
  EngineConfig uncached = config();
  uncached.enable_prefix_caching = false;
  TestEngine engine(uncached);
  run_together(engine, subjects());
  const auto again = run_together(engine, subjects());
  expect_same_results(alone(), again, "not cached");
  EXPECT_EQ(again[0].usage.cached_tokens, 0);
}

TEST_P(Invariance, PreemptedAtEveryStep) {
  const auto expected = alone();
  for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
    TestEngine engine(config(), {.preempt_every_draw = how});
    expect_same_results(expected, run_together(engine, subjects()), "preempted");
    const Stats stats = engine.stats();
    EXPECT_GT(how == Preemption::kSwap ? stats.preemptions_swap : stats.preemptions_recompute,
              steps_in_flight() == 1 ? 30 : 20);
    expect_all_free(engine);
  }
}

TEST_P(Invariance, PreemptedForLackOfBlocks) {
  EngineConfig tight = config();
  const auto expected = alone();
  const ModelInfo info = TestEngine(tight).model();
  tight.kv_cache_memory = info.kv_pool_bytes / info.kv_blocks * 16 * (info.kv_blocks / (info.kv_tokens / 16));
  for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
    tight.preemption = how;
    std::latch submitted(1);  // all of them: on a busy machine the first may else have ended before the last comes
    TestEngine engine(tight, watching([&](const StepInput&) { submitted.wait(); }));
    std::vector<Request> requests = subjects();
    for (uint32_t i = 0; i < 6; ++i) {
      requests.push_back(token_request(random_tokens(60, 100 + i), {.max_tokens = 40, .temperature = 0.7F}));
    }
    expect_same_results(expected, run_together(engine, std::move(requests), &submitted), "tight");
    const Stats stats = engine.stats();
    // With more, blocks that windows pass come back while somebody waits for one.
    if (steps_in_flight() == 1) EXPECT_GT(stats.preemptions_swap + stats.preemptions_recompute, 0);
    expect_all_free(engine);
  }
}

TEST_P(Invariance, OnAnyNumberOfThreads) {
  const auto expected = alone();
  for (const int threads : {2, 3}) {
    EngineConfig threaded = config();
    threaded.threads = threads;
    TestEngine engine(threaded);
    expect_same_results(expected, run_together(engine, subjects()), std::to_string(threads) + " threads");
  }
}

TEST_P(Invariance, WithBlocksOfAnySize) {
  const auto expected = alone();
  for (const int block_size : {8, 32}) {
    EngineConfig other = config();
    other.block_size = block_size;
    TestEngine engine(other);
    expect_same_results(expected, run_together(engine, subjects()), "blocks of " + std::to_string(block_size));
    expect_all_free(engine);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Invariance, testing::Values("llama", "mistral", "gemma3.gguf"),
                         [](const auto& test) { return test.param.substr(0, test.param.find('.')); });

}  // namespace
}  // namespace caravel::engine
