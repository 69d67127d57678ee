#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <ostream>

#include "base/error.h"
#include "format/model_path.h"
#include "format/weight_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

/// The models that scripts/fetch_model gets. Skipped where they were not fetched.
struct RealModel {
  std::string name;
  std::vector<int32_t> prompt;        // "The capital of France is"
  std::vector<int32_t> continuation;  // what transformers draws greedily with the dequantised weights in f32
};

void PrintTo(const RealModel& model, std::ostream* out) { *out << model.name; }

class RealModelTest : public ::testing::TestWithParam<RealModel> {
 protected:
  void SetUp() override {
    try {
      source_ = format::open_weights(format::resolve_model(GetParam().name));
    } catch (const NotFound& error) {
      GTEST_SKIP() << error.what();
    }
  }
  std::unique_ptr<format::WeightSource> source_;
};

TEST_P(RealModelTest, ContinuesAsTransformersDoes) {
  ModelHarness model(*source_, {.kv_dtype = kernels::KvDtype::kF16});
  std::vector<int32_t> next = GetParam().prompt;
  for (const int32_t expected : GetParam().continuation) {
    const std::vector<float> logits = model.step(std::vector<ModelHarness::Chunk>{{0, next}}).back();
    const auto best = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    EXPECT_EQ(best, expected);
    next = {expected};
  }
}

// The fixtures' weights are not quantised; these are, in types that differ within a stack.
TEST_P(RealModelTest, ChunksThreadsAndNeighboursDoNotChangeABit) {
  std::vector<int32_t> tokens(12);
  std::iota(tokens.begin(), tokens.end(), 1000);
  std::copy(GetParam().prompt.begin(), GetParam().prompt.end(), tokens.begin());
  ModelHarness two(*source_, {.kv_dtype = kernels::KvDtype::kF16, .threads = 2});
  const auto expected = two.run(0, tokens, std::vector<int>{12});
  ModelHarness one(*source_, {.kv_dtype = kernels::KvDtype::kF16, .threads = 1});
  EXPECT_EQ(one.run(0, tokens, std::vector<int>{3, 1, 1, 5, 1, 1}), expected);
  const auto beside = two.step(std::vector<ModelHarness::Chunk>{{1, {5, 6, 7}}, {2, tokens}});
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), beside.begin() + 3)) << "beside another sequence";
}

INSTANTIATE_TEST_SUITE_P(
    Cached, RealModelTest,
    ::testing::Values(RealModel{"smollm2", {504, 3575, 282, 4649, 314}, {7042, 30, 198, 198}},
                      RealModel{"gemma3-270m", {2, 818, 5279, 529, 7001, 563}, {506, 5279, 529, 506}}),
    [](const auto& parameter) { return parameter.param.name.substr(0, parameter.param.name.find('-')); });

}  // namespace
}  // namespace caravel::model
