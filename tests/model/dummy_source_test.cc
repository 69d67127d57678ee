#include "model/dummy_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "edited_source.h"
#include "fixtures.h"
#include "format/fingerprint.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::unique_ptr<format::WeightSource> dummy(const std::string& model, const DummyWeights& weights = {}) {
  return make_dummy(format::open_without_weights(tests::model_fixture(model)), weights);
}

std::map<std::string, std::vector<int64_t>> shapes(const format::WeightSource& source) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const format::WeightInfo& weight : source.weights()) shapes[weight.name] = weight.shape;
  return shapes;
}

class DummySourceTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, DummySourceTest,
                         testing::Values("llama", "llama3", "llama_tied", "mistral", "qwen2", "qwen3", "gemma3", "phi3",
                                         "glm4", "gemma3_images", "gemma2", "olmo2", "olmo3", "gpt2", "opt", "mixtral",
                                         "qwen2_moe", "qwen3_moe", "glm4_moe", "olmoe", "minimax_m2", "granite_moe",
                                         "granite_moe_shared", "gpt_oss", "gpt_oss_bf16", "deepseek_v2_lite",
                                         "deepseek_v2", "deepseek_v3"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(DummySourceTest, HasTheWeightsOfTheFolder) {
  EXPECT_EQ(shapes(*dummy(GetParam())), shapes(*format::open_weights(tests::model_fixture(GetParam()))));
}

std::vector<std::vector<float>> logits_of(const format::WeightSource& source) {
  const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6};
  const int whole = static_cast<int>(tokens.size());
  return ModelHarness(source, {}).run(0, tokens, {&whole, 1});
}

// What a norm does not leave as it is, grows or vanishes from layer to layer.
TEST_P(DummySourceTest, ComputesOrdinaryNumbers) {
  if (const std::string why = refusal(*dummy(GetParam())); !why.empty()) GTEST_SKIP() << why;
  double squares = 0;
  int64_t count = 0;
  for (const std::vector<float>& row : logits_of(*dummy(GetParam()))) {
    for (const float logit : row) squares += double{logit} * logit;
    count += static_cast<int64_t>(row.size());
  }
  const double size = std::sqrt(squares / static_cast<double>(count));
  EXPECT_GT(size, 0.01);
  EXPECT_LT(size, 100);
}

TEST(DummySource, AnotherSeedIsAnotherModel) {
  const auto first = dummy("llama", {.seed = 1});
  const auto second = dummy("llama", {.seed = 2});
  EXPECT_EQ(logits_of(*first), logits_of(*dummy("llama", {.seed = 1})));
  EXPECT_NE(logits_of(*first), logits_of(*second));
  EXPECT_NE(format::fingerprint(*first), format::fingerprint(*second));
}

TEST(DummySource, MatricesAreOfTheTypeThatWasGiven) {
  const auto source = dummy("llama", {.dtype = "Q8_0"});
  for (const format::WeightInfo& weight : source->weights()) {
    EXPECT_EQ(weight.dtype, weight.shape.size() == 2 ? DType::kQ8_0 : DType::kF32) << weight.name;
  }
  EXPECT_NE(logits_of(*source), logits_of(*dummy("llama", {.dtype = "Q4_0"})));
  EXPECT_EQ(dummy("llama_tied")->find("model.norm.weight")->dtype, DType::kF32);
  EXPECT_EQ(dummy("llama_tied")->find("model.embed_tokens.weight")->dtype, DType::kF16) << "as config.json says";
}

TEST(DummySource, ExpertsAreOfMxfp4WhereTheConfigurationSaysSo) {
  const auto source = dummy("gpt_oss");
  EXPECT_EQ(source->find("model.layers.1.mlp.experts.gate_up_proj")->dtype, DType::kMXFP4);
  EXPECT_EQ(source->find("model.layers.1.mlp.experts.down_proj")->dtype, DType::kMXFP4);
  EXPECT_EQ(source->find("model.layers.1.self_attn.q_proj.weight")->dtype, DType::kBF16);
  EXPECT_EQ(source->find("model.layers.1.mlp.router.weight")->dtype, DType::kBF16);
  const auto all = dummy("gpt_oss_bf16", {.dtype = "MXFP4"});
  EXPECT_EQ(all->find("model.layers.1.mlp.experts.gate_up_proj")->shape, (std::vector<int64_t>{4, 128, 32}))
      << "not [experts, in, out]";
  EXPECT_EQ(all->find("model.layers.1.self_attn.q_proj.weight")->dtype, DType::kMXFP4);
  logits_of(*all);
}

TEST(DummySource, EightBitFloatsAreOfLayersAlone) {
  const auto source = dummy("llama", {.dtype = "F8_E4M3"});
  EXPECT_EQ(source->find("model.layers.1.mlp.down_proj.weight")->dtype, DType::kF8E4M3);
  EXPECT_EQ(source->find("model.embed_tokens.weight")->dtype, DType::kF32);
  EXPECT_EQ(source->find("lm_head.weight")->dtype, DType::kF32);
  const auto logits = logits_of(*source);
  for (const float logit : logits[0]) EXPECT_LT(std::abs(logit), 100);
}

TEST(DummySource, LayersAreOfEightBitFloatsWhereTheConfigurationSaysSo) {
  auto folder = std::make_unique<MemorySource>(format::Convention::kHuggingFace, tiny_llama_config());
  folder->config().update({{"intermediate_size", 256}, {"torch_dtype", "float16"}});
  json how = {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}};
  folder->config()["quantization_config"] = how;
  const auto of_blocks = make_dummy(std::make_unique<MemorySource>(*folder), {});
  EXPECT_EQ(of_blocks->find("model.layers.1.mlp.down_proj.weight")->dtype, DType::kF8E4M3B128);
  EXPECT_EQ(of_blocks->find("model.layers.1.mlp.up_proj.weight")->dtype, DType::kF8E4M3) << "a block is a whole row";
  EXPECT_EQ(of_blocks->find("model.embed_tokens.weight")->dtype, DType::kF16);
  EXPECT_EQ(of_blocks->find("lm_head.weight")->dtype, DType::kF16);
  logits_of(*of_blocks);
  how.erase("weight_block_size");
  folder->config()["quantization_config"] = how;
  const auto of_rows = make_dummy(std::make_unique<MemorySource>(*folder), {});
  EXPECT_EQ(of_rows->find("model.layers.1.mlp.down_proj.weight")->dtype, DType::kF8E4M3);
  const auto given = make_dummy(std::move(folder), {.dtype = "BF16"});
  EXPECT_EQ(given->find("model.layers.1.mlp.down_proj.weight")->dtype, DType::kBF16);
  auto routed = std::make_unique<EditedSource>("qwen3_moe");
  routed->config()["quantization_config"] = how;
  const auto experts = make_dummy(std::move(routed), {});
  EXPECT_TRUE(is_float8(experts->find("model.layers.1.mlp.experts.0.down_proj.weight")->dtype));
  EXPECT_FALSE(is_float8(experts->find("model.layers.1.mlp.gate.weight")->dtype));
}

TEST(DummySource, BiasesAreThereWhereTheConfigurationHasThem) {
  auto folder = std::make_unique<MemorySource>(format::Convention::kHuggingFace, tiny_llama_config());
  folder->config()["attention_bias"] = true;
  const auto source = make_dummy(std::move(folder), {});
  EXPECT_NE(source->find("model.layers.1.self_attn.o_proj.bias"), nullptr);
  EXPECT_EQ(source->find("model.layers.1.mlp.up_proj.bias"), nullptr);
  EXPECT_NE(source->find("lm_head.weight"), nullptr) << "not tied where a Llama does not say";
  logits_of(*source);
}

template <typename E>
void expect_refused(const std::string& part, const std::function<void()>& work) {
  try {
    work();
    ADD_FAILURE() << "made";
  } catch (const E& error) {
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(DummySource, RefusesWhatItCannotMake) {
  expect_refused<InvalidArgument>("'Q4'; there are F32", [] { dummy("llama", {.dtype = "Q4"}); });
  expect_refused<InvalidArgument>("dummy_dtype is Q4_K, whose blocks are 256 elements; a row of",
                                  [] { dummy("llama", {.dtype = "Q4_K"}); });
  expect_refused<InvalidArgument>(
      "has 32, which are whole blocks of F32, F16, BF16, F8_E4M3, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, MXFP4",
      [] { dummy("llama", {.dtype = "Q4_K"}); });
  expect_refused<Unsupported>("an encoder", [] { dummy("bert"); });
  expect_refused<Unsupported>("a file has weights", [] { dummy("llama.gguf"); });
  expect_refused<NotFound>("no config.json", [] { dummy("nowhere"); });
}

}  // namespace
}  // namespace caravel::model
