#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/harness.h"
#include "engine/watched_executor.h"
#include "fixtures.h"

namespace caravel::engine {
namespace {

/// Answers of `transformers` (tests/fixtures/make_generation.py).
nlohmann::json golden() {
  std::ifstream file(tests::fixtures() + "/generation.json");
  return nlohmann::json::parse(file);
}

Request beam_request(const nlohmann::json& search) {
  SamplingParams params;
  params.n = search["n"].get<int>();
  params.use_beam_search = true;
  params.beam_width = search["beam_width"].get<int>();
  params.length_penalty = search["length_penalty"].get<float>();
  params.early_stopping = search["early_stopping"];
  params.max_tokens = search["max_tokens"].get<int>();
  params.stop_token_ids = search["stop_token_ids"].get<std::vector<int32_t>>();
  params.logprobs = 2;
  return token_request(search["prompt"], params);
}

void expect_answers(const nlohmann::json& search, const Result& result) {
  const std::string what = search.dump();
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.completions.size(), search["answers"].size()) << what;
  for (size_t i = 0; i < result.completions.size(); ++i) {
    const Completion& completion = result.completions[i];
    const nlohmann::json& answer = search["answers"][i];
    EXPECT_EQ(completion.token_ids, answer["tokens"].get<std::vector<int32_t>>()) << what << ", answer " << i;
    ASSERT_EQ(completion.logprobs.size(), completion.token_ids.size());
    double sum = 0;
    for (const TokenLogprob& token : completion.logprobs) sum += token.logprob;
    EXPECT_NEAR(sum, completion.cumulative_logprob, 1e-4);
    if (answer["score"].is_null()) continue;
    const double length = static_cast<double>(completion.token_ids.size());
    const double score = completion.cumulative_logprob / std::pow(length, search["length_penalty"].get<double>());
    EXPECT_NEAR(score, answer["score"].get<double>(), 2e-3 * std::abs(answer["score"].get<double>())) << what;
  }
}

TEST(BeamSearch, AnswersAsTransformersDoes) {
  if (tests_a_gpu()) GTEST_SKIP() << "products of 8 bits make other beams";
  EngineConfig config = small_config();
  config.kv_cache_dtype = KvCacheDtype::kF32;  // as the golden answers were computed
  TestEngine engine(config);
  const nlohmann::json searches = golden()["beams"];
  ASSERT_EQ(searches.size(), 21U);
  for (const auto& search : searches) {
    expect_answers(search, run(engine, beam_request(search)));
    expect_all_free(engine);
  }
}

TEST(BeamSearch, AnswersTheSameInABatchAndPreempted) {
  EngineConfig config = small_config();
  config.kv_cache_dtype = KvCacheDtype::kF32;
  const nlohmann::json searches = golden()["beams"];
  std::vector<Result> alone;
  {
    TestEngine engine(config);
    for (const auto& search : searches) alone.push_back(run(engine, beam_request(search)));
  }
  for (const auto how :
       {std::optional<Preemption>(), std::optional(Preemption::kRecompute), std::optional(Preemption::kSwap)}) {
    TestEngine engine(config, {.preempt_every_draw = how});
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (const auto& search : searches) handles.push_back(engine.submit(beam_request(search)));
    for (size_t i = 0; i < handles.size(); ++i) expect_same(handles[i]->result(), alone[i], searches[i].dump());
    expect_all_free(engine);
  }
}

TEST(BeamSearch, SharesBlocks) {
  size_t most = 0;
  std::map<std::pair<int32_t, int32_t>, int32_t> tables;  // (slot, index): block
  TestEngine engine(small_config(), watching([&](const StepInput& step) {
                      for (const TableEntry& entry : step.entries) tables[{entry.slot, entry.index}] = entry.block;
                      std::set<int32_t> blocks;
                      for (const StepRow& row : step.rows) {
                        for (int i = 0; i * 16 < row.first + row.count; ++i) blocks.insert(tables.at({row.slot, i}));
                      }
                      most = std::max(most, blocks.size());
                    }));
  run(engine, token_request(random_tokens(160, 3), {.max_tokens = 24, .n = 8, .use_beam_search = true}));
  // 10 blocks of prompt once, and at most a few for each beam.
  EXPECT_GE(most, 10U);
  EXPECT_LE(most, 10U + 8 * 3);
  expect_all_free(engine);
}

TEST(BeamSearch, ComesWholeAtTheEnd) {
  TestEngine engine(small_config());
  const auto handle =
      engine.submit(token_request({1, 2, 3}, {.max_tokens = 6, .n = 2, .use_beam_search = true, .beam_width = 3}));
  for (int index = 0; index < 2; ++index) {
    const auto delta = handle->next();
    ASSERT_TRUE(delta);
    EXPECT_EQ(delta->index, index);
    EXPECT_EQ(delta->token_ids.size(), 6U);
    EXPECT_EQ(delta->finish_reason, FinishReason::kLength);
  }
  EXPECT_TRUE(handle->next().ended());
  EXPECT_GE(handle->result().completions[0].cumulative_logprob, handle->result().completions[1].cumulative_logprob);
}

TEST(BeamSearch, MinTokensHoldsTheEndBack) {
  TestEngine engine(small_config());
  SamplingParams params{.max_tokens = 12, .min_tokens = 5, .n = 2, .use_beam_search = true};
  for (int32_t id = 0; id < 100; ++id) params.stop_token_ids.push_back(id);
  for (const Completion& completion : run(engine, token_request({1, 2, 3}, params)).completions) {
    EXPECT_GT(completion.token_ids.size(), 5U);
  }
}

}  // namespace
}  // namespace caravel::engine
