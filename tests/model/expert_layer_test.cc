// A layer with a router, from its files to its logits; what the logits should be, the fixtures say (decoder_test.cc).

#include "model/moe/expert_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "model_harness.h"
#include "tiny_experts.h"

namespace caravel::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kMlp = "model.layers.1.mlp.";

std::vector<std::vector<float>> answers_of(const MemorySource& source) {
  const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
  const int whole = static_cast<int>(tokens.size());
  return ModelHarness(source, {}).run(0, tokens, {&whole, 1});
}

WeightLayout layout_of(const MemorySource& source, Quantization quantization = Quantization::kNone) {
  static CpuDevice device(1);
  ModelConfig config = read_config(source);
  config.quantization = quantization;
  return weight_layout(device, source, config);
}

template <typename E>
std::string refused(const MemorySource& source) {
  try {
    layout_of(source);
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

class ExpertLayerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = refusal(make_tiny_experts()); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(ExpertLayerTest, EveryWeightCounts) {
  MemorySource source = make_tiny_experts();
  const auto expected = answers_of(source);
  std::vector<std::string> names;
  for (const format::WeightInfo& weight : source.weights()) names.push_back(weight.name);
  for (const std::string& name : names) {
    if (!name.starts_with(kMlp)) continue;
    const format::WeightInfo weight = *source.find(name);
    const std::vector<std::byte> before = take(source, {name});
    source.add_random(name, weight.shape, 0, 0.4F);
    EXPECT_NE(answers_of(source), expected) << name;
    source.add(name, weight.shape, weight.dtype, before);
  }
  EXPECT_EQ(answers_of(source), expected);
}

TEST_F(ExpertLayerTest, EveryNumberCounts) {
  MemorySource source = make_tiny_experts();
  const auto expected = answers_of(source);
  const nlohmann::json before = source.config();
  const nlohmann::json changes = {{"num_experts_per_tok", 3}, {"norm_topk_prob", true}};
  for (const auto& [key, value] : changes.items()) {
    source.config()[key] = value;
    EXPECT_NE(answers_of(source), expected) << key;
    source.config() = before;
  }
}

TEST_F(ExpertLayerTest, ExpertsTogetherAreTheSameAsApart) {
  const MemorySource joined = make_joined_experts();
  EXPECT_EQ(answers_of(joined), answers_of(make_tiny_experts()));
}

TEST_F(ExpertLayerTest, OneExpertIsReadAtATime) {
  const MemorySource source = make_joined_experts();
  const uint64_t before = source.mapped_bytes();
  answers_of(source);
  // Of each of the experts gate, and up behind it.
  EXPECT_EQ(source.mapped().at(kMlp + "experts.gate_up_proj"), 2 * kTinyExperts);
  EXPECT_EQ(source.mapped().at(kMlp + "experts.down_proj"), kTinyExperts);
  uint64_t stored = 0;
  for (const format::WeightInfo& weight : source.weights()) stored += weight.bytes;
  EXPECT_EQ(source.mapped_bytes() - before, stored);
}

TEST_F(ExpertLayerTest, ARouterStaysAsExactAsItIs) {
  MemorySource source = make_tiny_experts();
  const LayerLayout layer = layout_of(source, Quantization::kQ8_0).layers[1];
  EXPECT_EQ(layer.expert_gate_up.parts()[0].dtype, DType::kQ8_0);
  EXPECT_TRUE(layer.expert_down.rotated());
  ASSERT_EQ(layer.router.parts().size(), 2U) << "the shared experts' gate behind the router";
  for (const auto& part : layer.router.parts()) EXPECT_EQ(part.dtype, DType::kF32);
  EXPECT_EQ(layer.router.out(), kTinyExperts + 1);
  source.add(kMlp + "gate.weight", {kTinyExperts, 64}, DType::kQ8_0, std::vector<std::byte>(kTinyExperts * 2 * 34));
  EXPECT_EQ(layout_of(source).layers[1].router.parts()[0].dtype, DType::kF32);
}

TEST_F(ExpertLayerTest, ExpertsTogetherAreNoFloatsOfEightBits) {
  MemorySource source = make_joined_experts();
  const auto together =
      std::ranges::find_if(source.weights(), [](const format::WeightInfo& weight) { return weight.shape.size() == 3; });
  const format::WeightInfo weight = *together;
  const int64_t count = weight.shape[0] * weight.shape[1] * weight.shape[2];
  source.remove(weight.name);
  source.add(weight.name, weight.shape, DType::kF8E4M3, std::vector<std::byte>(static_cast<size_t>(count)));
  EXPECT_THAT(refused<Unsupported>(source), AllOf(HasSubstr(weight.name), HasSubstr("a tensor for each expert")));
}

TEST_F(ExpertLayerTest, AFileThatLiesIsToldInOneLine) {
  MemorySource source = make_tiny_experts();
  source.remove(kMlp + "experts.3.up_proj.weight");
  EXPECT_THAT(refused<FormatError>(source), HasSubstr(kMlp + "experts.3.up_proj.weight is missing"));
  source = make_tiny_experts();
  source.add_random(kMlp + "experts.4.down_proj.weight", {64, 30});
  EXPECT_THAT(refused<FormatError>(source),
              AllOf(HasSubstr("experts.4.down_proj.weight"), HasSubstr("[64, 30]"), HasSubstr("[64, 32]")));
  source = make_tiny_experts();
  source.add_random(kMlp + "experts.5.up_proj.weight", {32, 64});
  EXPECT_THAT(refused<Unsupported>(source), HasSubstr("experts.5.up_proj.weight is none"));
  source = make_tiny_experts();
  source.add(kMlp + "experts.2.up_proj.weight", {32, 64}, DType::kF16, std::vector<std::byte>(32 * 64 * 2));
  EXPECT_THAT(refused<Unsupported>(source),
              AllOf(HasSubstr("experts.0.up_proj.weight is F32"), HasSubstr("experts.2.up_proj.weight is F16")));
  source = make_joined_experts();
  source.config()["num_experts"] = 4;
  EXPECT_THAT(refused<FormatError>(source),
              AllOf(HasSubstr("gate.weight"), HasSubstr("[5, 64]"), HasSubstr("[4, 64]")));
  source.add_random(kMlp + "gate.weight", {4, 64});
  EXPECT_THAT(refused<FormatError>(source),
              AllOf(HasSubstr("gate_up_proj"), HasSubstr("[5, 64, 64]"), HasSubstr("[4, 64, 64]")));
  source = make_tiny_experts();
  source.add_random("model.layers.0.mlp.gate.weight", {kTinyExperts, 64});
  EXPECT_THAT(refused<Unsupported>(source), HasSubstr("layers.0.mlp.gate.weight")) << "that layer has no experts";
}

}  // namespace
}  // namespace caravel::model
