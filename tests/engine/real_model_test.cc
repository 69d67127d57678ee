// SmolLM2-135M-Instruct, where scripts/fetch_model has fetched it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/harness.h"
#include "format/model_path.h"
#include "text/chat_template.h"

namespace caravel::engine {
namespace {

class RealModel : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(std::filesystem::path(format::cache_directory()) / kFile)) {
      GTEST_SKIP() << "fetch it with scripts/fetch_model smollm2";
    }
  }
  static constexpr const char* kFile = "SmolLM2-135M-Instruct.Q4_1.gguf";
};

TEST_F(RealModel, Answers) {
  const auto engine = Engine::open({.model = "smollm2", .max_model_len = 512});
  EXPECT_EQ(engine->model().parameters, 134'515'008);
  const Result france = run(*engine, {.prompt = "The capital of France is", .sampling = greedy({.max_tokens = 8})});
  EXPECT_THAT(france.completions[0].text, testing::StartsWith(" Paris"));

  const std::string chat =
      text::ChatTemplate(engine->model().chat_template)
          .render({.messages = {{{"role", "user"}, {"content", "What is the capital of Italy? Answer in one word."}}}});
  const Result italy = run(*engine, {.prompt = chat, .sampling = greedy({.max_tokens = 40})});
  EXPECT_THAT(italy.completions[0].text, testing::HasSubstr("Rome"));
  EXPECT_EQ(italy.completions[0].finish_reason, FinishReason::kStop) << "<|im_end|> ends it";
  expect_all_free(*engine);
}

TEST_F(RealModel, AnswersTheSameAloneAndBesideOthersPreemptedAndCached) {
  const EngineConfig config{.model = "smollm2", .max_model_len = 512};
  const Request request{.prompt = "Once upon a time, in a village by the sea, there lived an old fisherman who",
                        .sampling = greedy({.max_tokens = 16, .logprobs = 2, .prompt_logprobs = 1})};
  const Result expected = run(*Engine::open(config), request);
  EngineConfig chunked = config;
  chunked.max_num_batched_tokens = 19;
  TestEngine engine(chunked, {.preempt_every_draw = Preemption::kAuto});
  std::vector<std::unique_ptr<RequestHandle>> others;
  for (uint32_t i = 0; i < 3; ++i) {
    others.push_back(engine.submit(token_request(random_tokens(20 + i, i, 49'152), {.max_tokens = 8})));
  }
  expect_same(expected, run(engine, request), "beside others");
  for (const auto& other : others) other->result();
  expect_same(expected, run(engine, request), "cached");
  expect_all_free(engine);
}

/// More than a split of the context (256 tokens) in common, so that attention reads it once for all of them.
TEST_F(RealModel, AnswersTheSameBesideOthersWithTheSameLongPrefix) {
  const EngineConfig config{.model = "smollm2", .max_model_len = 512};
  const std::vector<int32_t> prefix = random_tokens(300, 1, 49'152);
  const auto request = [&](uint32_t i) {
    std::vector<int32_t> prompt = prefix;
    const std::vector<int32_t> own = random_tokens(5 + 7 * i, 100 + i, 49'152);
    prompt.insert(prompt.end(), own.begin(), own.end());
    return token_request(std::move(prompt),
                         {.max_tokens = 12, .temperature = 0.8F, .seed = 7 + i, .n = i == 2 ? 3 : 1, .logprobs = 2});
  };
  constexpr uint32_t kRequests = 5;
  std::vector<Result> expected;
  for (uint32_t i = 0; i < kRequests; ++i) expected.push_back(run(*Engine::open(config), request(i)));
  TestEngine engine(config);
  run(engine, token_request(prefix, {.max_tokens = 1}));
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (uint32_t i = 0; i < kRequests; ++i) handles.push_back(engine.submit(request(i)));
  for (uint32_t i = 0; i < kRequests; ++i) {
    const Result result = handles[i]->result();
    EXPECT_GE(result.usage.cached_tokens, 288);
    expect_same(expected[i], result, "request " + std::to_string(i));
  }
  expect_all_free(engine);
}

}  // namespace
}  // namespace caravel::engine
