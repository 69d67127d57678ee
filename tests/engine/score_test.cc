#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <numeric>
#include <stdexcept>

#include "base/error.h"
#include "engine/harness.h"
#include "engine/watched_executor.h"

namespace caravel::engine {
namespace {

ScoreRequest question(size_t prefix, std::vector<size_t> lengths) {
  ScoreRequest::Item item{.prefix = random_tokens(prefix, 1), .continuations = {}};
  for (const size_t length : lengths) {
    item.continuations.push_back(random_tokens(length, static_cast<uint32_t>(100 + item.continuations.size())));
  }
  return {.items = {std::move(item)}};
}

/// To the bit, what prompt_logprobs says of prefix and continuation as one prompt.
void expect_prompt_logprobs(Engine& engine, const ScoreRequest::Item& item, const std::vector<Score>& scores) {
  ASSERT_EQ(scores.size(), item.continuations.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    std::vector<int32_t> prompt = item.prefix;
    prompt.insert(prompt.end(), item.continuations[i].begin(), item.continuations[i].end());
    const Result whole = run(engine, token_request(prompt, {.max_tokens = 0, .prompt_logprobs = 0}));
    double sum = 0;
    ASSERT_EQ(scores[i].tokens, item.continuations[i]);
    for (size_t t = 0; t < scores[i].tokens.size(); ++t) {
      const TokenLogprob& token = whole.prompt_logprobs[item.prefix.size() - 1 + t];
      EXPECT_EQ(scores[i].token_logprobs[t], token.logprob) << "continuation " << i << ", token " << t;
      EXPECT_EQ(scores[i].is_greedy[t], token.rank == 1);
      sum += token.logprob;
    }
    EXPECT_DOUBLE_EQ(scores[i].logprob, sum);
  }
}

TEST(Score, EqualsThePromptLogprobsOfTheWhole) {
  EngineConfig config = small_config();
  config.enable_prefix_caching = false;
  TestEngine engine(config);
  for (const size_t prefix : {1, 15, 16, 17, 100}) {
    for (const auto& lengths : std::vector<std::vector<size_t>>{{1}, {7}, {1, 1, 1}, {3, 1, 40, 17, 2}}) {
      const ScoreRequest request = question(prefix, lengths);
      expect_prompt_logprobs(engine, request.items[0], score(engine, request));
    }
  }
  expect_all_free(engine);
}

TEST(Score, GivenTokensAreReadAlone) {
  ScoreRequest request = question(33, {40, 1, 9, 2, 17});
  TestEngine engine(small_config());
  const auto all = score(engine, request);
  request.items[0].given = {25, 0, 8, 1, 0};
  const auto some = score(engine, request);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto given = request.items[0].given[i];
    EXPECT_EQ(some[i].tokens, std::vector(all[i].tokens.begin() + given, all[i].tokens.end()));
    EXPECT_EQ(some[i].token_logprobs, std::vector(all[i].token_logprobs.begin() + given, all[i].token_logprobs.end()));
    EXPECT_EQ(some[i].is_greedy, std::vector(all[i].is_greedy.begin() + given, all[i].is_greedy.end()));
    EXPECT_DOUBLE_EQ(some[i].logprob,
                     std::accumulate(some[i].token_logprobs.begin(), some[i].token_logprobs.end(), 0.0));
  }
  EXPECT_EQ(score(engine, {.items = {{.prefix = request.items[0].prefix,
                                      .continuations = {request.items[0].continuations[0]},
                                      .given = {39}}}})[0]
                .token_logprobs,
            std::vector(1, all[0].token_logprobs.back()))
      << "where nothing is asked of the prefix itself";
  expect_all_free(engine);
}

TEST(Score, ManyPrefixesAreOneRequest) {
  ScoreRequest request{.id = "mine"};
  for (const size_t prefix : {20, 1, 33}) request.items.push_back(question(prefix, {3, 1, 8}).items[0]);
  TestEngine engine(small_config());
  std::atomic<int> news = 0;
  const auto handle = engine.score(request, [&] { ++news; });
  EXPECT_EQ(handle->id(), "mine");
  EXPECT_TRUE(handle->next().ended()) << "no deltas";
  const Result& result = handle->result();
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.usage.prompt_tokens, 20 + 1 + 33 + 3 * (3 + 1 + 8));
  ASSERT_EQ(result.scores.size(), 3U);
  for (size_t i = 0; i < 3; ++i) expect_prompt_logprobs(engine, request.items[i], result.scores[i]);
  expect_all_free(engine);
  EXPECT_EQ(news, 1) << "the end";
}

TEST(Score, IsCancelledWhole) {
  ScoreRequest request;
  for (int i = 0; i < 100; ++i) request.items.push_back(question(20, {9, 9}).items[0]);
  EngineConfig config = small_config();
  config.max_num_seqs = 3;
  std::latch started(1);
  TestEngine engine(config, watching([&](const StepInput& step) {
                      if (step.number == 5) started.wait();
                    }));
  const auto handle = engine.score(request);
  EXPECT_TRUE(handle->poll().pending());
  handle->cancel();
  started.count_down();
  const Result& result = handle->result();
  EXPECT_EQ(result.error, kCancelledError);
  ASSERT_EQ(result.scores.size(), 100U);
  EXPECT_TRUE(result.scores.back().empty());
  engine.score(request);  // dropped at once
  expect_all_free(engine);
}

TEST(Score, AFailedStepEndsAllOfIt) {
  EngineConfig config = small_config();
  config.max_num_seqs = 2;
  TestEngine engine(config, watching([](const StepInput& step) {
                      const StepRow& row = step.rows.front();
                      if (row.first + row.count == 50) throw std::runtime_error("the device is on fire");
                    }));
  ScoreRequest request = question(40, {5, 5});
  request.items.push_back(question(50, {5}).items[0]);
  for (int i = 0; i < 20; ++i) request.items.push_back(question(30, {5, 5}).items[0]);
  const Result result = engine.score(request)->result();
  EXPECT_EQ(result.error, "the device is on fire");
  EXPECT_EQ(result.scores.front().size(), 2U) << "what was done before is kept";
  EXPECT_TRUE(result.scores.back().empty()) << "what waited is not begun";
  expect_all_free(engine);
}

TEST(Score, RunsMoreContinuationsThanSequencesInWaves) {
  const ScoreRequest request = question(50, std::vector<size_t>(23, 9));
  for (const int sequences : {1, 2, 5}) {
    EngineConfig config = small_config();
    config.max_num_seqs = sequences;
    TestEngine engine(config);
    const Result result = engine.score(request)->result();
    EXPECT_EQ(result.usage.prompt_tokens, 50 + 23 * 9);
    expect_prompt_logprobs(engine, request.items[0], result.scores.at(0));
    expect_all_free(engine);
  }
}

TEST(Score, ComputesThePrefixOnce) {
  EngineConfig config = small_config();
  config.enable_prefix_caching = false;
  TestEngine engine(config);
  score(engine, question(160, std::vector<size_t>(20, 5)));
  EXPECT_EQ(engine.stats().prompt_tokens, 160);
}

TEST(Score, IsTheSamePreemptedAndWithWindows) {
  for (const char* const model : {"llama", "gemma3"}) {
    const ScoreRequest request = question(70, {20, 3, 1, 33});
    TestEngine undisturbed(small_config(model));
    const auto expected = score(undisturbed, request);
    for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
      TestEngine engine(small_config(model), {.preempt_every_draw = how});
      const auto scores = score(engine, request);
      for (size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i].token_logprobs, expected[i].token_logprobs);
      expect_all_free(engine);
    }
  }
}

TEST(Score, FitsAPoolThatHoldsFewContinuationsAtOnce) {
  TestEngine roomy(small_config());
  const ScoreRequest request = question(40, std::vector<size_t>(30, 30));
  EngineConfig config = small_config();
  config.kv_cache_memory = roomy.model().kv_pool_bytes / roomy.model().kv_blocks * 12;
  TestEngine engine(config);
  const auto scores = score(engine, request);
  const auto expected = score(roomy, request);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i].token_logprobs, expected[i].token_logprobs);
  expect_all_free(engine);
}

TEST(Score, RefusesWithTheNumbers) {
  TestEngine engine(small_config());
  EXPECT_THROW(engine.score(score_request({}, {{1}})), InvalidArgument);
  EXPECT_THROW(engine.score(score_request({1}, {})), InvalidArgument);
  EXPECT_THROW(engine.score(score_request({1}, {{}})), InvalidArgument);
  EXPECT_THROW(engine.score(score_request({1}, {{320}})), InvalidArgument);
  EXPECT_THROW(engine.score(question(200, {57})), InvalidArgument);
  EXPECT_THROW(engine.score({}), InvalidArgument);
  for (const std::vector<int>& given : {std::vector<int>{1}, {0, 2}, {-1, 0}, {0, 0, 0}}) {
    ScoreRequest request = question(5, {3, 2});
    request.items[0].given = given;
    EXPECT_THROW(engine.score(request), InvalidArgument);
  }
  EXPECT_NO_THROW(score(engine, question(200, {56})));
}

}  // namespace
}  // namespace caravel::engine
