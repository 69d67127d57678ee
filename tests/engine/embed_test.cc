#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/harness.h"
#include "fixtures.h"

namespace caravel::engine {
namespace {

std::vector<float> embed(Engine& engine, std::vector<int32_t> tokens) {
  const Result result = engine.embed({.tokens = std::move(tokens)})->result();
  EXPECT_EQ(result.error, "");
  return result.embedding;
}

TEST(Embed, EqualsTheMeanStateOfTransformers) {
  std::ifstream file(tests::fixtures() + "/generation.json");
  const nlohmann::json all = nlohmann::json::parse(file)["embeddings"];
  ASSERT_EQ(all.size(), 3U);
  for (const auto& golden : all) {
    EngineConfig config = small_config(golden["model"]);
    config.kv_cache_dtype = KvCacheDtype::kF32;
    TestEngine engine(config);
    const auto mean = embed(engine, golden["tokens"]);
    const auto expected = golden["mean"].get<std::vector<float>>();
    ASSERT_EQ(mean.size(), expected.size());
    const double tolerance = tests_a_gpu() ? 2e-2 : 1e-4;  // products of 8 bits, or of 24
    for (size_t i = 0; i < mean.size(); ++i) {
      EXPECT_NEAR(mean[i], expected[i], tolerance) << golden["model"] << ", " << i;
    }
    expect_all_free(engine);
  }
}

TEST(Embed, IsTheSameInChunksAndBesideOthers) {
  const auto tokens = random_tokens(150, 3);
  const auto expected = [&] {
    TestEngine engine(small_config());
    return embed(engine, tokens);
  }();
  for (const int budget : {16, 50, 512}) {
    EngineConfig config = small_config();
    config.max_num_batched_tokens = budget;
    TestEngine engine(config, {.preempt_every_draw = Preemption::kRecompute});
    const auto beside = engine.submit(token_request(tokens, {.max_tokens = 50}));
    EXPECT_EQ(embed(engine, tokens), expected);
    EXPECT_EQ(embed(engine, tokens), expected) << "its blocks being cached";
  }
}

TEST(Embed, RefusesWithTheNumbers) {
  TestEngine engine(small_config());
  EXPECT_THROW(engine.embed({}), InvalidArgument);
  EXPECT_THROW(engine.embed({.tokens = random_tokens(257, 1)}), InvalidArgument);
  EXPECT_EQ(engine.embed({.tokens = random_tokens(256, 1)})->result().usage.prompt_tokens, 256);
}

}  // namespace
}  // namespace caravel::engine
