// What a request may ask for, and how it ends.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "engine/harness.h"
#include "engine/memory_plan.h"
#include "engine/watched_executor.h"
#include "fields/sampling.h"
#include "kernels/rms_norm.h"

namespace caravel::engine {
namespace {

using testing::HasSubstr;

class RequestTest : public testing::Test {
 protected:
  ~RequestTest() override { expect_all_free(engine_); }

  std::string refusal(Request request) {
    try {
      engine_.submit(std::move(request));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  std::atomic<bool> slow_ = false;  // so that a request still runs when it is cancelled
  TestEngine engine_{small_config(), watching([this](const StepInput&) {
                       if (slow_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                     })};
  const std::vector<int32_t> prompt_ = random_tokens(20, 9);
};

TEST_F(RequestTest, DeltasJoinedAreTheAnswer) {
  const auto handle =
      engine_.submit(token_request(prompt_, {.max_tokens = 30, .temperature = 1.0F, .seed = 5, .n = 3, .logprobs = 1}));
  std::vector<Completion> joined(3);
  while (const auto delta = handle->next()) {
    Completion& completion = joined[static_cast<size_t>(delta->index)];
    EXPECT_EQ(completion.finish_reason, FinishReason::kNone) << "nothing comes after the end";
    completion.text += delta->text;
    completion.token_ids.insert(completion.token_ids.end(), delta->token_ids.begin(), delta->token_ids.end());
    completion.logprobs.insert(completion.logprobs.end(), delta->logprobs.begin(), delta->logprobs.end());
    completion.finish_reason = delta->finish_reason;
  }
  const Result& result = handle->result();
  std::set<std::vector<int32_t>> different;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(joined[i].text, result.completions[i].text);
    EXPECT_EQ(joined[i].token_ids, result.completions[i].token_ids);
    EXPECT_EQ(joined[i].finish_reason, FinishReason::kLength);
    expect_same(joined[i].logprobs, result.completions[i].logprobs, "deltas");
    EXPECT_EQ(result.completions[i].text, engine_.tokenizer().decode(result.completions[i].token_ids));
    different.insert(result.completions[i].token_ids);
  }
  EXPECT_EQ(different.size(), 3U);
  EXPECT_EQ(result.usage.prompt_tokens, 20);
  EXPECT_EQ(result.usage.completion_tokens, 90);
}

TEST_F(RequestTest, SeedsDecideAndFreshOnesDiffer) {
  const auto answer = [&](std::optional<uint64_t> seed) {
    SamplingParams params{.max_tokens = 20, .temperature = 2.0F};
    params.seed = seed;
    return run(engine_, token_request(prompt_, params)).completions[0].token_ids;
  };
  EXPECT_EQ(answer(1), answer(1));
  EXPECT_NE(answer(1), answer(2));
  EXPECT_NE(answer(std::nullopt), answer(std::nullopt));
}

TEST_F(RequestTest, StopIdsEndItAndCount) {
  const auto full = run(engine_, token_request(prompt_, {.max_tokens = 20})).completions[0];
  const int32_t stop = full.token_ids[7];
  const auto first = std::find(full.token_ids.begin(), full.token_ids.end(), stop) - full.token_ids.begin();
  const auto stopped = run(engine_, token_request(prompt_, {.max_tokens = 20, .stop_token_ids = {stop}}));
  const Completion& completion = stopped.completions[0];
  EXPECT_EQ(completion.finish_reason, FinishReason::kStop);
  EXPECT_EQ(completion.stop_reason, std::to_string(stop));
  const auto count = static_cast<size_t>(first) + 1;
  EXPECT_EQ(completion.token_ids, std::vector(full.token_ids.begin(), full.token_ids.begin() + first + 1));
  EXPECT_EQ(completion.text, engine_.tokenizer().decode(std::span(full.token_ids).first(count - 1)));
  EXPECT_EQ(stopped.usage.completion_tokens, static_cast<int>(count));

  // Not before min_tokens: another token is drawn in its place.
  const auto later =
      run(engine_, token_request(prompt_, {.max_tokens = 20, .min_tokens = 15, .stop_token_ids = {stop}}));
  EXPECT_GE(later.completions[0].token_ids.size(), 15U);
  const auto& ids = later.completions[0].token_ids;
  EXPECT_EQ(std::count(ids.begin(), ids.begin() + 15, stop), 0);
}

TEST_F(RequestTest, EveryEndOfGenerationIdEndsIt) {
  const auto& ends = engine_.generation_defaults().end_of_generation_ids;
  ASSERT_FALSE(ends.empty());
  for (const int32_t end : ends) {
    Request request{.prompt = prompt_, .sampling = {.max_tokens = 5, .allowed_token_ids = {end}}};
    const Completion ended = run(engine_, request).completions[0];
    EXPECT_EQ(ended.finish_reason, FinishReason::kStop);
    EXPECT_EQ(ended.token_ids, std::vector{end});
    EXPECT_EQ(ended.text, "");
    EXPECT_EQ(ended.stop_reason, "");
    request.sampling.ignore_eos = true;
    EXPECT_EQ(run(engine_, request).completions[0].token_ids.size(), 5U);
  }
}

TEST_F(RequestTest, StopStringsLieAcrossTokens) {
  const SamplingParams all{.max_tokens = 30, .temperature = 1.5F, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 3};
  const auto full = run(engine_, token_request(prompt_, all)).completions[0];
  for (size_t begin = 2; begin + 6 < full.text.size(); begin += 5) {
    const std::string stop = full.text.substr(begin, 5);
    SamplingParams stopped = all;
    stopped.stop = {stop};
    const auto handle = engine_.submit(token_request(prompt_, stopped));
    std::string streamed;
    while (const auto delta = handle->next()) streamed += delta->text;
    const Completion& completion = handle->result().completions[0];
    EXPECT_EQ(completion.text, full.text.substr(0, full.text.find(stop)));
    EXPECT_EQ(streamed, completion.text);
    EXPECT_EQ(completion.finish_reason, FinishReason::kStop);
    EXPECT_EQ(completion.stop_reason, stop);
  }
}

TEST_F(RequestTest, MaxTokensZeroComputesThePromptAlone) {
  const Result result = run(engine_, token_request(prompt_, {.max_tokens = 0, .prompt_logprobs = 1}));
  EXPECT_EQ(result.completions[0].token_ids.size(), 0U);
  EXPECT_EQ(result.completions[0].finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.prompt_logprobs.size(), prompt_.size() - 1);
  for (const TokenLogprob& token : result.prompt_logprobs) EXPECT_GT(token.rank, 0);
}

TEST_F(RequestTest, AnswersFillTheContextAndNoMore) {
  const Result result = run(engine_, token_request(prompt_, {.max_tokens = 100'000}));
  EXPECT_EQ(result.completions[0].token_ids.size(), 256 - prompt_.size());
  EXPECT_EQ(result.completions[0].finish_reason, FinishReason::kLength);
}

TEST_F(RequestTest, RefusesWithTheNumbers) {
  EXPECT_THAT(refusal(token_request({}, {})), HasSubstr("the prompt is empty"));
  EXPECT_THAT(refusal(token_request({1, 320}, {})), HasSubstr("token id 320; the vocabulary has ids 0 to 319"));
  EXPECT_THAT(refusal(token_request(random_tokens(256, 1), {})), HasSubstr("the prompt has 256 tokens"));
  EXPECT_THAT(refusal(token_request({1}, {.top_p = 2})), HasSubstr("top_p is 2"));
  EXPECT_THAT(refusal(token_request({1}, {.temperature = 1, .n = 65})), HasSubstr("n is 65; the engine runs 64"));
}

/// Of `blocks` KV blocks of 16 tokens.
EngineConfig pool_of(int64_t blocks) {
  EngineConfig config = small_config();
  const ModelInfo info = TestEngine(config).model();
  config.kv_cache_memory = info.kv_pool_bytes / info.kv_blocks * blocks;
  return config;
}

TEST(SmallPools, LowerTheContextAndCutAnswers) {
  TestEngine engine(pool_of(4));
  EXPECT_EQ(engine.model().max_model_len, 64);
  EXPECT_EQ(engine.model().memory.full_model_len, 256);
  EXPECT_TRUE(engine.model().memory.lowers_context());
  for (const int prompt : {1, 16, 50, 63}) {
    const Result result =
        run(engine, token_request(random_tokens(static_cast<size_t>(prompt), 1), {.max_tokens = 1000}));
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.completions[0].token_ids.size(), static_cast<size_t>(64 - prompt));
    EXPECT_EQ(result.completions[0].finish_reason, FinishReason::kLength);
  }
  EXPECT_THROW(engine.submit(token_request(random_tokens(65, 1), {.max_tokens = 8})), InvalidArgument);
  expect_all_free(engine);
}

TEST(SmallPools, SequencesOfOneRequestShareTheRoom) {
  TestEngine engine(pool_of(16));
  EXPECT_EQ(engine.model().max_model_len, 256);
  const Request request = token_request(random_tokens(32, 1), {.max_tokens = 1000, .temperature = 1, .n = 4});
  const Result result = run(engine, request);
  ASSERT_EQ(result.completions.size(), 4U);
  for (const Completion& completion : result.completions) {
    // 2 blocks of the prompt, 3 for each, and one token that is drawn and not computed.
    EXPECT_EQ(completion.token_ids.size(), 3 * 16 + 1U);
    EXPECT_EQ(completion.finish_reason, FinishReason::kLength);
  }
  SamplingParams beams = {.max_tokens = 1000, .n = 2, .use_beam_search = true, .beam_width = 5};
  const Result best = run(engine, token_request(random_tokens(32, 1), std::move(beams)));
  EXPECT_EQ(best.error, "");
  ASSERT_EQ(best.completions.size(), 2U);
  EXPECT_EQ(best.completions[0].token_ids.size(), 2 * 16 + 1U);
  EXPECT_EQ(best.completions[0].finish_reason, FinishReason::kLength);
  expect_all_free(engine);
}

TEST(SmallPools, MoreAnswersThanBlocksAreRefusedByTheirNumber) {
  TestEngine engine(pool_of(16));
  try {
    engine.submit(token_request(random_tokens(17, 1), {.max_tokens = 8, .temperature = 1, .n = 20}));
    FAIL() << "21 blocks do not fit 16";
  } catch (const InvalidField& error) {
    EXPECT_EQ(error.field, "n");
    EXPECT_THAT(error.what(), HasSubstr("need 21 KV blocks of 16 tokens, and there are 16"));
  }
}

TEST(SmallPools, ScoresGoOneAfterTheOtherWhereTheyDoNotFitBesideEachOther) {
  TestEngine engine(pool_of(16));
  TestEngine roomy(small_config());
  const ScoreRequest request = score_request(random_tokens(150, 2), {random_tokens(100, 3), random_tokens(106, 4)});
  const std::vector<Score> scores = score(engine, request);
  const std::vector<Score> expected = score(roomy, request);
  ASSERT_EQ(scores.size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(scores[i].token_logprobs, expected[i].token_logprobs);
  expect_all_free(engine);
}

TEST(SmallPools, AnAskedLengthIsRefused) {
  EngineConfig config = pool_of(4);
  config.max_model_len = 64;
  EXPECT_EQ(TestEngine(config).model().max_model_len, 64);
  config.max_model_len = 65;
  try {
    TestEngine engine(config);
    FAIL() << "65 tokens need 5 blocks";
  } catch (const CapacityError& error) {
    EXPECT_THAT(error.what(), HasSubstr("max_model_len is 65"));
    EXPECT_THAT(error.what(), HasSubstr("which hold 64 tokens"));
  }
}

TEST(Logprobs, OneRequestIsCutOrRefusedBeyondTheirMemory) {
  RequestLimits limits{.max_model_len = 256,
                       .max_num_seqs = 64,
                       .pool = {.block_size = 16, .blocks = 1000},
                       .logprob_memory = 120 * logprob_bytes(4)};
  const auto max_tokens = [&limits](SamplingParams params, int64_t prompt) {
    resolve_sampling(params, {}, {});
    const int64_t held = fit_length(params, prompt, limits);
    EXPECT_LE(held, limits.logprob_memory);
    return *params.max_tokens;
  };
  EXPECT_EQ(max_tokens({.max_tokens = 1000}, 56), 200);
  EXPECT_EQ(max_tokens({.max_tokens = 1000, .logprobs = 0}, 56), 200);
  EXPECT_EQ(max_tokens({.max_tokens = 1000, .logprobs = 4}, 56), 120);
  EXPECT_EQ(max_tokens({.max_tokens = 1000, .n = 3, .logprobs = 4}, 56), 40);
  EXPECT_EQ(max_tokens({.max_tokens = 1000, .logprobs = 4, .prompt_logprobs = 4}, 50), 70);
  EXPECT_EQ(max_tokens({.max_tokens = 7, .n = 3, .logprobs = 4}, 56), 7);
  EXPECT_EQ(max_tokens({.max_tokens = 0, .prompt_logprobs = 4}, 120), 0);
  EXPECT_THROW(max_tokens({.max_tokens = 0, .prompt_logprobs = 4}, 121), CapacityError);
  EXPECT_EQ(max_tokens({.max_tokens = 1, .n = 8, .prompt_logprobs = 4}, 120), 1) << "a prompt's stand there once";
  EXPECT_THROW(max_tokens({.max_tokens = 1, .logprobs = 0, .prompt_logprobs = 4}, 120), CapacityError);
}

TEST(Logprobs, RequestsShareTheirMemory) {
  TestEngine engine(small_config());
  std::vector<std::unique_ptr<RequestHandle>> handles;
  const auto submit = [&] {
    const SamplingParams sampling{.max_tokens = 50, .temperature = 1, .n = 16, .logprobs = 128};
    handles.push_back(engine.submit(token_request(random_tokens(100, 5), sampling)));
  };
  EXPECT_THROW(
      {
        while (handles.size() < 1000) submit();
      },
      Busy);
  EXPECT_GT(handles.size(), 1U);
  EXPECT_THROW(submit(), Busy);
  handles.pop_back();
  EXPECT_NO_THROW(submit()) << "what a dropped handle held is there again";
}

TEST_F(RequestTest, CancelKeepsWhatWasGenerated) {
  slow_ = true;
  const auto handle = engine_.submit(token_request(prompt_, {.max_tokens = 200}));
  handle->next();
  handle->cancel();
  handle->cancel();
  const Result& result = handle->result();
  EXPECT_EQ(result.completions[0].finish_reason, FinishReason::kCancelled);
  EXPECT_GT(result.completions[0].token_ids.size(), 0U);
  EXPECT_LT(result.completions[0].token_ids.size(), 200U);
  EXPECT_EQ(engine_.stats().cancelled_requests, 1);
}

TEST_F(RequestTest, DroppingTheHandleCancels) {
  slow_ = true;
  engine_.submit(token_request(prompt_, {.max_tokens = 230}));
  engine_.monitor().check_integrity();
  EXPECT_EQ(engine_.stats().cancelled_requests, 1);
}

TEST_F(RequestTest, TellsNewsUntilTheHandleIsGone) {
  std::atomic<int> news = 0;
  auto handle = engine_.submit(token_request(prompt_, {.max_tokens = 10}), [&] { ++news; });
  handle->result();
  engine_.monitor().check_integrity();
  EXPECT_GE(news, 10);
  handle.reset();
  handle = engine_.submit(token_request(prompt_, {.max_tokens = 1}));
  handle->result();
  EXPECT_TRUE(handle->poll()) << "what the reader has not taken is kept";
  EXPECT_TRUE(handle->poll().ended());
}

TEST(RequestHandles, SayDeltaPendingOrEnd) {
  std::latch submitted(1);
  TestEngine engine(small_config(), watching([&](const StepInput&) { submitted.wait(); }));
  const auto handle = engine.submit(token_request({1, 2, 3}, {.max_tokens = 3}));
  EXPECT_TRUE(handle->poll().pending());
  EXPECT_TRUE(handle->next(Clock::now() + std::chrono::milliseconds(1)).pending());
  submitted.count_down();
  size_t tokens = 0;
  while (const auto next = handle->next()) tokens += next->token_ids.size();
  EXPECT_EQ(tokens, 3U);
  EXPECT_TRUE(handle->next().ended());
  EXPECT_TRUE(handle->poll().ended());
  EXPECT_TRUE(handle->next(Clock::now()).ended());
}

TEST_F(RequestTest, TextAndTokensAreTheSamePrompt) {
  const std::string text = "Some text, and more.";
  const auto tokens = engine_.tokenizer().encode(text);
  const auto by_text = run(engine_, {.prompt = text, .sampling = greedy({.max_tokens = 8, .ignore_eos = true})});
  expect_same(by_text, run(engine_, token_request(tokens, {.max_tokens = 8})), "text");
  EXPECT_EQ(by_text.usage.prompt_tokens, static_cast<int>(tokens.size()));
}

TEST_F(RequestTest, SaltsDoNotShareCachedBlocks) {
  Request request = token_request(random_tokens(64, 4), {.max_tokens = 1});
  request.cache_salt = "a";
  run(engine_, request);
  EXPECT_EQ(run(engine_, request).usage.cached_tokens, 48);
  request.cache_salt = "b";
  EXPECT_EQ(run(engine_, request).usage.cached_tokens, 0);
}

TEST_F(RequestTest, BadWordsDoNotAppear) {
  const auto full = run(engine_, token_request(prompt_, {.max_tokens = 20})).completions[0];
  std::string word;
  for (const int32_t token : full.token_ids) {
    const std::string text = engine_.tokenizer().decode(std::vector{token});
    if (engine_.tokenizer().encode(text, {.add_special = false}) == std::vector{token}) word = text;
  }
  ASSERT_NE(word, "");
  const auto other = run(engine_, token_request(prompt_, {.max_tokens = 20, .bad_words = {word}})).completions[0];
  const int32_t bad = engine_.tokenizer().encode(word, {.add_special = false}).front();
  EXPECT_EQ(std::count(other.token_ids.begin(), other.token_ids.end(), bad), 0);
}

TEST(EngineErrors, AFailedStepEndsItsRequestsAndNoOthers) {
  std::atomic<bool> burns = false;
  TestEngine engine(small_config(), watching([&](const StepInput& step) {
                      if (burns && step.rows.front().first == 59) throw std::runtime_error("the device is on fire");
                    }));
  const auto request = token_request(random_tokens(40, 8), {.max_tokens = 100});
  const Result expected = run(engine, request);
  burns = true;
  const auto failed = engine.submit(token_request(random_tokens(50, 7), {.max_tokens = 200}));
  EXPECT_EQ(failed->result().error, "the device is on fire");
  burns = false;
  EXPECT_EQ(failed->result().completions[0].finish_reason, FinishReason::kError);
  // What was generated is kept, but for what else was in flight.
  EXPECT_EQ(static_cast<int>(failed->result().completions[0].token_ids.size()), 11 - steps_in_flight());
  expect_same(expected, run(engine, request), "after the failure");
  expect_all_free(engine);
}

/// Loses all steps in flight at once, as a device does that fails, at its 30th; waits for `all` before the first.
class LosingExecutor final : public Executor {
 public:
  LosingExecutor(Executor& rank, std::latch& all) : rank_(rank), all_(all) {}

  void launch(const StepInput& input) override {
    all_.wait();
    rank_.launch(input);
    ++in_flight_;
  }
  void wait_for_rows() override { rank_.wait_for_rows(); }
  void launch(const DrawInput& input) override { rank_.launch(input); }
  const StepOutput& collect() override {
    if (++collected_ == 30) {
      for (; in_flight_ > 0; --in_flight_) rank_.collect();
      throw std::runtime_error("the device is on fire");
    }
    --in_flight_;
    return rank_.collect();
  }

 private:
  Executor& rank_;
  std::latch& all_;
  int in_flight_ = 0;
  int collected_ = 0;
};

TEST(EngineErrors, LostStepsEndWhatRunsAndNotWhatWaits) {
  EngineConfig config = small_config();
  config.max_num_seqs = 2;
  const auto request = token_request(random_tokens(40, 8), {.max_tokens = 60});
  TestEngine sound(config);
  const Result expected = run(sound, request);
  std::latch all(1);
  TestEngine engine(config, {.executor = [&](Executor& rank) { return std::make_unique<LosingExecutor>(rank, all); }});
  std::vector<std::unique_ptr<RequestHandle>> running;
  for (uint32_t i = 0; i < 2; ++i) {
    running.push_back(engine.submit(token_request(random_tokens(50, i), {.max_tokens = 200})));
  }
  const auto waits = engine.submit(request);
  all.count_down();
  for (const auto& handle : running) EXPECT_EQ(handle->result().error, "the device is on fire");
  expect_same(expected, waits->result(), "after the failure");
  expect_all_free(engine);
}

/// As one whose device is gone for good: in its 10th launch or collection of a step, and in all later ones.
class LostExecutor final : public Executor {
 public:
  LostExecutor(Executor& rank, bool in_launch) : rank_(rank), in_launch_(in_launch) {}

  void launch(const StepInput& input) override {
    if (in_launch_) work();
    EXPECT_FALSE(lost_) << "nothing is launched any more";
    rank_.launch(input);
    ++in_flight_;
  }
  void wait_for_rows() override { rank_.wait_for_rows(); }
  void launch(const DrawInput& input) override { rank_.launch(input); }
  const StepOutput& collect() override {
    if (!in_launch_) work();
    if (lost_) lose();
    --in_flight_;
    return rank_.collect();
  }

 private:
  void work() {
    if (++calls_ == 10) lose();
  }
  void lose() {
    lost_ = true;
    for (; in_flight_ > 0; --in_flight_) rank_.collect();
    throw DeviceLost("the device is gone");
  }

  Executor& rank_;
  const bool in_launch_;
  bool lost_ = false;
  int calls_ = 0;
  int in_flight_ = 0;
};

TEST(EngineErrors, ALostDeviceEndsWhatRunsWhatWaitsAndWhatComes) {
  for (const bool in_launch : {true, false}) {
    SCOPED_TRACE(in_launch ? "in a launch" : "in a collection");
    EngineConfig config = small_config();
    config.max_num_seqs = 2;
    TestEngine engine(config,
                      {.executor = [&](Executor& rank) { return std::make_unique<LostExecutor>(rank, in_launch); }});
    EXPECT_EQ(engine.stats().device_error, "");
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (uint32_t i = 0; i < 5; ++i) {
      handles.push_back(engine.submit(token_request(random_tokens(50, i), {.max_tokens = 200})));
    }
    for (const auto& handle : handles) EXPECT_EQ(handle->result().error, "the device is gone");
    EXPECT_EQ(engine.stats().device_error, "the device is gone");
    EXPECT_EQ(run(engine, token_request({1, 2, 3}, {.max_tokens = 5})).error, "the device is gone");
    expect_all_free(engine);
  }
}

/// In a process of its own, whose device is lost afterwards.
[[noreturn]] void run_into_a_fault() {
  ::alarm(60);                               // rather than hang
  const auto device = open_test_device({});  // another view of the engine's
  std::atomic<bool> sabotage = false;
  EngineHooks hooks = watching([&](const StepInput&) {
    if (!sabotage) return;
    // Rows of an address that nothing lies at.
    const auto stream = device->make_stream();
    kernels::add_norm(*stream, {.y = make_tensor(reinterpret_cast<void*>(0x1000), DType::kBF16, 8, 64),
                                .residual = f32_tensor(reinterpret_cast<float*>(0x2000), 8, 64)});
  });
  {
    TestEngine engine(small_config(), hooks);
    const auto request = token_request(random_tokens(50, 1), {.max_tokens = 20});
    const bool well = run(engine, request).error.empty();
    sabotage = true;
    const std::string error = run(engine, request).error;
    sabotage = false;
    const bool same = run(engine, request).error == error && engine.stats().device_error == error;
    fmt::print(stderr, "{} {} {}\n", well, same, error);
  }
  std::_Exit(0);
}

TEST(EngineErrorsDeathTest, AFaultOfAKernelEndsAllRequestsAndNothingHangs) {
  if (!tests_a_gpu()) GTEST_SKIP() << "a CPU's kernel that faults ends the process";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_into_a_fault(), testing::ExitedWithCode(0), "true true .*illegal memory access.*device is lost");
}

TEST(EngineErrors, ClosingTheEngineCancels) {
  std::unique_ptr<RequestHandle> handle;
  {
    TestEngine engine(small_config());
    handle = engine.submit(token_request({1, 2, 3}, {.max_tokens = 250}));
  }
  const FinishReason reason = handle->result().completions[0].finish_reason;
  EXPECT_TRUE(reason == FinishReason::kCancelled || reason == FinishReason::kLength);
  handle->cancel();
}

TEST(EngineErrors, ConfigurationsAreRefusedWithTheNumbers) {
  const auto refusal = [](auto change) -> std::string {
    EngineConfig config = small_config();
    change(config);
    try {
      TestEngine engine(config);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal([](auto& c) { c.max_model_len = 257; }),
              HasSubstr("max_model_len is 257; the model was made for contexts of up to 256"));
  EXPECT_THAT(refusal([](auto& c) { c.block_size = 24; }), HasSubstr("block_size is 24"));
  EXPECT_THAT(refusal([](auto& c) { c.max_num_seqs = -1; }), HasSubstr("max_num_seqs is -1"));
  EXPECT_THAT(refusal([](auto& c) { c.kv_cache_dtype = static_cast<KvCacheDtype>(9); }),
              HasSubstr("kv_cache_dtype is 9"));
  if (!tests_a_gpu()) {
    EXPECT_THAT(refusal([](auto& c) { c.kv_cache_dtype = KvCacheDtype::kFp8; }), HasSubstr("--kv-cache-dtype int8"));
  }
  EXPECT_THAT(refusal([](auto& c) { c.max_time_between_tokens = -1; }), HasSubstr("max_time_between_tokens is -1"));
  EXPECT_THAT(refusal([](auto& c) { c.max_time_between_tokens = NAN; }), HasSubstr("max_time_between_tokens is nan"));
  EXPECT_THAT(refusal([](auto& c) { c.priority_ageing = INFINITY; }), HasSubstr("priority_ageing is inf"));
  EXPECT_THAT(refusal([](auto& c) { c.kv_cache_memory = 100; }),
              HasSubstr("kv_cache_memory is 100 bytes, which hold 0 blocks"));
  EXPECT_THAT(refusal([](auto& c) { c.kv_cache_memory = int64_t{1} << 60; }), HasSubstr("MiB of memory are available"));
}

}  // namespace
}  // namespace caravel::engine
