#include <gtest/gtest.h>

#include <latch>

#include "engine/harness.h"
#include "engine/watched_executor.h"

namespace caravel::engine {
namespace {

constexpr int kPrompt = 30;  // tokens of the request in the foreground, and of nothing else here

/// Steps that have rows of a request of `tokens` tokens, prompt and answer; no other's rows end at kPrompt.
struct Seen {
  const int tokens;
  std::vector<uint64_t> steps;
  int slot = -1;
  void look(const StepInput& step) {
    for (const StepRow& row : step.rows) {
      if (row.first + row.count == kPrompt) slot = row.slot;
      if (row.slot != slot) continue;
      steps.push_back(step.number);
      if (row.first + row.count == tokens - 1) slot = -1;  // the last one is drawn, but not computed
    }
  }
};

ScoreRequest many_scores() {
  ScoreRequest request{.background = true};
  for (uint32_t i = 0; i < 60; ++i) {
    request.items.push_back({random_tokens(40 + i % 7, i), {random_tokens(9, 100 + i), random_tokens(4, 200 + i)}});
  }
  return request;
}

TEST(Background, ARequestIsInEveryStepFromTheFirstOn) {
  TestEngine undisturbed(small_config());
  const Request request = token_request(random_tokens(kPrompt, 1), {.max_tokens = 10, .logprobs = 1});
  const Result expected = run(undisturbed, request);
  const Result expected_scores = undisturbed.score(many_scores())->result();

  EngineConfig config = small_config();
  config.max_num_seqs = 4;
  std::latch busy(1);
  std::latch submitted(1);
  Seen seen{.tokens = kPrompt + 10};
  TestEngine engine(config, watching([&](const StepInput& step) {
                      seen.look(step);
                      if (step.number != 10) return;
                      busy.count_down();
                      submitted.wait();
                    }));
  const auto scores = engine.score(many_scores());
  busy.wait();
  const auto handle = engine.submit(request);
  submitted.count_down();
  expect_same(expected, handle->result(), "beside scores in the background");
  EXPECT_EQ(seen.steps, (std::vector<uint64_t>{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));

  const Result& result = scores->result();
  EXPECT_EQ(result.error, "");
  ASSERT_EQ(result.scores.size(), expected_scores.scores.size());
  for (size_t i = 0; i < result.scores.size(); ++i) {
    for (size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(result.scores[i].at(k).token_logprobs, expected_scores.scores[i].at(k).token_logprobs) << i;
    }
  }
  expect_all_free(engine);
}

TEST(Background, AnswersAndEmbeddingsMayRunThereToo) {
  TestEngine engine(small_config());
  Request request = token_request(random_tokens(kPrompt, 1), {.max_tokens = 5});
  const Result expected = run(engine, request);
  request.background = true;
  expect_same(expected, run(engine, request), "in the background");
  const auto tokens = random_tokens(20, 2);
  EXPECT_EQ(engine.embed({.tokens = tokens, .background = true})->result().embedding,
            engine.embed({.tokens = tokens})->result().embedding);
}

}  // namespace
}  // namespace caravel::engine
