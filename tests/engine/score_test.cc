#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

ScoreRequest question(size_t prefix, std::vector<size_t> lengths) {
  ScoreRequest request{.prefix = random_tokens(prefix, 1), .continuations = {}};
  for (const size_t length : lengths) {
    request.continuations.push_back(random_tokens(length, static_cast<uint32_t>(100 + request.continuations.size())));
  }
  return request;
}

/// To the bit, what prompt_logprobs says of prefix and continuation as one prompt.
void expect_prompt_logprobs(Engine& engine, const ScoreRequest& request, const std::vector<Score>& scores) {
  ASSERT_EQ(scores.size(), request.continuations.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    std::vector<int32_t> prompt = request.prefix;
    prompt.insert(prompt.end(), request.continuations[i].begin(), request.continuations[i].end());
    const Result whole = run(engine, token_request(prompt, {.max_tokens = 0, .prompt_logprobs = 0}));
    double sum = 0;
    ASSERT_EQ(scores[i].tokens, request.continuations[i]);
    for (size_t t = 0; t < scores[i].tokens.size(); ++t) {
      const TokenLogprob& token = whole.prompt_logprobs[request.prefix.size() - 1 + t];
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
  EngineImpl engine(config);
  for (const size_t prefix : {1, 15, 16, 17, 100}) {
    for (const auto& lengths : std::vector<std::vector<size_t>>{{1}, {7}, {1, 1, 1}, {3, 1, 40, 17, 2}}) {
      const ScoreRequest request = question(prefix, lengths);
      expect_prompt_logprobs(engine, request, engine.score(request));
    }
  }
  expect_all_free(engine);
}

TEST(Score, RunsMoreContinuationsThanSequencesInWaves) {
  const ScoreRequest request = question(50, std::vector<size_t>(23, 9));
  for (const int sequences : {1, 2, 5}) {
    EngineConfig config = small_config();
    config.max_num_seqs = sequences;
    EngineImpl engine(config);
    const auto scores = engine.score(request);
    expect_prompt_logprobs(engine, request, scores);
    expect_all_free(engine);
  }
}

TEST(Score, ComputesThePrefixOnce) {
  EngineConfig config = small_config();
  config.enable_prefix_caching = false;
  EngineImpl engine(config);
  engine.score(question(160, std::vector<size_t>(20, 5)));
  EXPECT_EQ(engine.stats().prompt_tokens, 160);
}

TEST(Score, IsTheSamePreemptedAndWithWindows) {
  for (const char* const model : {"llama", "gemma3"}) {
    const ScoreRequest request = question(70, {20, 3, 1, 33});
    const auto expected = EngineImpl(small_config(model)).score(request);
    for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
      EngineImpl engine(small_config(model), {.preempt_every_draw = how});
      const auto scores = engine.score(request);
      for (size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i].token_logprobs, expected[i].token_logprobs);
      expect_all_free(engine);
    }
  }
}

TEST(Score, FitsAPoolThatHoldsFewContinuationsAtOnce) {
  EngineImpl roomy(small_config());
  const ScoreRequest request = question(40, std::vector<size_t>(30, 30));
  EngineConfig config = small_config();
  config.kv_cache_memory = roomy.model().kv_pool_bytes / roomy.model().kv_blocks * 12;
  EngineImpl engine(config);
  const auto scores = engine.score(request);
  const auto expected = roomy.score(request);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i].token_logprobs, expected[i].token_logprobs);
  expect_all_free(engine);
}

TEST(Score, RefusesWithTheNumbers) {
  EngineImpl engine(small_config());
  EXPECT_THROW(engine.score({.prefix = {}, .continuations = {{1}}}), InvalidArgument);
  EXPECT_THROW(engine.score({.prefix = {1}, .continuations = {}}), InvalidArgument);
  EXPECT_THROW(engine.score({.prefix = {1}, .continuations = {{}}}), InvalidArgument);
  EXPECT_THROW(engine.score({.prefix = {1}, .continuations = {{320}}}), InvalidArgument);
  EXPECT_THROW(engine.score(question(200, {57})), InvalidArgument);
  EXPECT_NO_THROW(engine.score(question(200, {56})));
}

}  // namespace
}  // namespace caravel::engine
