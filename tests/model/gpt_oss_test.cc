// What gpt-oss alone has, beyond the logits that decoder_test.cc holds to those of transformers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "edited_source.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Logits = std::vector<std::vector<float>>;

const char* const kFiles[] = {"gpt_oss", "gpt_oss.gguf", "gpt_oss_bf16", "gpt_oss_bf16.gguf"};

Logits logits_of(const EditedSource& source) {
  std::vector<int32_t> tokens(20);  // more than the window
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(37 * i % 320);
  const int whole = static_cast<int>(tokens.size());
  return ModelHarness(source, {}).run(0, tokens, {&whole, 1});
}

TEST(GptOss, EveryWeightMovesTheLogits) {
  for (const char* file : kFiles) {
    const EditedSource plain(file);
    if (!refusal(plain).empty()) GTEST_SKIP() << refusal(plain);
    const Logits expected = logits_of(plain);
    for (const format::WeightInfo& weight : plain.weights()) {
      std::vector<std::string> names = {weight.name};
      if (weight.scale != nullptr) names.push_back(weight.scale->name);
      for (const std::string& name : names) {
        EditedSource edited(file);
        edited.change(name);
        EXPECT_NE(logits_of(edited), expected) << file << ", " << name;
      }
    }
  }
}

TEST(GptOss, EveryFlagMovesTheLogits) {
  const json folder = {{{"sliding_window", 11}},
                       {{"layer_types", json(3, "sliding_attention")}},
                       {{"rms_norm_eps", 1e-3}},
                       {{"rope_theta", 900.0}},
                       {{"rope_scaling", {{"factor", 8.0}}}},
                       {{"rope_scaling", {{"beta_fast", 8.0}}}},
                       {{"rope_scaling", {{"beta_slow", 2.0}}}},
                       {{"rope_scaling", {{"truncate", true}}}},
                       {{"rope_scaling", {{"attention_factor", 1.0}}}},
                       {{"rope_scaling", {{"original_max_position_embeddings", 64}}}},
                       {{"num_experts_per_tok", 1}},
                       {{"num_experts_per_tok", 3}}};
  const json gguf = {{{"gpt-oss.attention.sliding_window", 11}},
                     {{"gpt-oss.attention.sliding_window_pattern", 3}},
                     {{"gpt-oss.attention.layer_norm_rms_epsilon", 1e-3}},
                     {{"gpt-oss.rope.freq_base", 900.0}},
                     {{"gpt-oss.rope.scaling.factor", 8.0}},
                     {{"gpt-oss.rope.scaling.yarn_beta_fast", 8.0}},
                     {{"gpt-oss.rope.scaling.original_context_length", 64}},
                     {{"gpt-oss.expert_used_count", 3}}};
  for (const auto& [file, changes] : {std::pair("gpt_oss", folder), std::pair("gpt_oss.gguf", gguf)}) {
    const EditedSource plain(file);
    if (!refusal(plain).empty()) GTEST_SKIP() << refusal(plain);
    const Logits expected = logits_of(plain);
    for (const json& change : changes) {
      EditedSource edited(file);
      edited.config().merge_patch(change);
      EXPECT_NE(logits_of(edited), expected) << file << ", " << change;
    }
  }
}

ModelWeights load(Device& device, const EditedSource& source, const Placement& placement = {}) {
  ModelConfig config = read_config(source);
  config.placement = placement;
  DeviceSink sink(device);
  return load_weights(sink, source, config);
}

std::vector<float> values(const Buffer& buffer) {
  const auto* first = buffer.address<float>();
  return {first, first + buffer.size() / sizeof(float)};
}

// Codes and scales apart, neighbours sharing a byte, gate and up in turn; or [experts, in, out]: the same as GGUF has.
TEST(GptOss, AFoldersExpertsAreThoseOfGguf) {
  CpuDevice device(1);
  for (const std::string name : {"gpt_oss", "gpt_oss_bf16"}) {
    const ModelWeights folder = load(device, EditedSource(name));
    const ModelWeights gguf = load(device, EditedSource(name + ".gguf"));
    ASSERT_EQ(folder.layers.size(), 3U);
    for (size_t i = 0; i < folder.layers.size(); ++i) {
      const LayerWeights& one = folder.layers[i];
      const LayerWeights& other = gguf.layers[i];
      for (const auto& [a, b] :
           {std::pair(&one.expert_gate_up, &other.expert_gate_up), std::pair(&one.expert_down, &other.expert_down)}) {
        ASSERT_EQ(a->bytes(), b->bytes());
        EXPECT_EQ(a->parts()[0].dtype, name == "gpt_oss" ? DType::kMXFP4 : DType::kBF16);
        EXPECT_EQ(std::memcmp(a->data(), b->data(), a->bytes()), 0) << name << ", layer " << i;
      }
      EXPECT_EQ(values(one.expert_gate_up_bias), values(other.expert_gate_up_bias));
      EXPECT_EQ(values(one.expert_down_bias), values(other.expert_down_bias));
      EXPECT_EQ(values(one.router_bias), values(other.router_bias));
      EXPECT_EQ(values(one.sinks), values(other.sinks));
    }
  }
}

TEST(GptOss, RanksHaveTheirPartsOfBiasesAndSinks) {
  CpuDevice device(1);
  for (const char* file : {"gpt_oss", "gpt_oss.gguf"}) {
    const ModelWeights whole = load(device, EditedSource(file));
    const std::vector<float> sinks = values(whole.layers[1].sinks);
    const std::vector<float> bias = values(whole.layers[1].expert_gate_up_bias);  // four of 64 gates and 64 ups
    for (int rank = 0; rank < 2; ++rank) {
      const ModelWeights part = load(device, EditedSource(file), {.tensor_rank = rank, .tensor_ranks = 2});
      const LayerWeights& layer = part.layers[1];
      EXPECT_EQ(values(layer.sinks), std::vector<float>(sinks.begin() + 2 * rank, sinks.begin() + 2 * rank + 2));
      std::vector<float> expected;
      for (int row = 0; row < 8; ++row) {
        const auto from = bias.begin() + 64 * row + 32 * rank;
        expected.insert(expected.end(), from, from + 32);
      }
      EXPECT_EQ(values(layer.expert_gate_up_bias), expected);
      EXPECT_EQ(values(layer.expert_down_bias).size(), rank == 0 ? 4U * 32 : 0U) << "added once";
      EXPECT_EQ(values(layer.router_bias), values(whole.layers[1].router_bias));
    }
    try {
      load(device, EditedSource(file), {.tensor_ranks = 4});
      ADD_FAILURE() << "a block was cut";
    } catch (const Unsupported& error) {
      EXPECT_THAT(error.what(), HasSubstr("in blocks of 32: the 16 from 0 on are not whole blocks"));
    }
  }
}

void expect_refused(const EditedSource& source, const std::string& part) {
  CpuDevice device(1);
  try {
    weight_layout(device, source, read_config(source));
    ADD_FAILURE() << "accepted; expected: " << part;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(part));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

TEST(GptOss, AFileThatLiesIsRefused) {
  const struct {
    const char* file;
    json change;
    const char* message;
  } lies[] = {
      {"gpt_oss", {{"num_local_experts", 5}}, "router.weight is [4, 32]; by the configuration it must be [5, 32]"},
      {"gpt_oss",
       {{"intermediate_size", 32}},
       "gate_up_proj is [4, 128, 32]; by the configuration it must be [4, 64, 32]"},
      {"gpt_oss_bf16",
       {{"intermediate_size", 32}},
       "gate_up_proj is [4, 32, 128]; by the configuration it must be [4, 32, 64]"},
      {"gpt_oss.gguf",
       {{"gpt-oss.expert_feed_forward_length", 32}},
       "ffn_gate_exps.weight is [4, 64, 32]; by the configuration it must be [4, 32, 32]"},
      {"gpt_oss", {{"swiglu_limit", 5.0}}, "swiglu_limit is 5.0; of gpt_oss models those where it is 7 are supported"},
      {"gpt_oss_bf16", {{"swiglu_alpha", 1.5}}, "swiglu_alpha is 1.5; of gpt_oss models those where it is 1.702"},
      {"gpt_oss", {{"attention_bias", false}}, "attention_bias is false"},
      {"gpt_oss", {{"num_experts_per_tok", 5}}, "num_experts_per_tok is 5"},
      {"gpt_oss.gguf", {{"gpt-oss.attention.sliding_window", nullptr}}, "gpt-oss.attention.sliding_window"},
  };
  for (const auto& [file, change, message] : lies) {
    EditedSource source(file);
    source.config().merge_patch(change);
    expect_refused(source, message);
  }
}

TEST(GptOss, EveryWeightIsMissedByName) {
  for (const char* file : kFiles) {
    const EditedSource plain(file);
    for (const format::WeightInfo& weight : plain.weights()) {
      if (weight.name == "output.weight") continue;  // llama.cpp's files leave it out where it is the embedding
      EditedSource source(file);
      source.remove(weight.name);
      expect_refused(source, weight.name == "lm_head.weight" ? "tie_word_embeddings is false"
                                                             : "weight " + weight.name + " is missing");
    }
  }
}

// config.json of openai/gpt-oss-20b.
TEST(GptOss, ThePublishedConfigurationIsRead) {
  json types;
  for (int i = 0; i < 24; ++i) types.push_back(i % 2 == 0 ? "sliding_attention" : "full_attention");
  const json config = {{"architectures", {"GptOssForCausalLM"}},
                       {"attention_bias", true},
                       {"experts_per_token", 4},
                       {"head_dim", 64},
                       {"hidden_act", "silu"},
                       {"hidden_size", 2880},
                       {"initial_context_length", 4096},
                       {"intermediate_size", 2880},
                       {"layer_types", types},
                       {"max_position_embeddings", 131072},
                       {"model_type", "gpt_oss"},
                       {"num_attention_heads", 64},
                       {"num_experts_per_tok", 4},
                       {"num_hidden_layers", 24},
                       {"num_key_value_heads", 8},
                       {"num_local_experts", 32},
                       {"quantization_config", {{"quant_method", "mxfp4"}}},
                       {"rms_norm_eps", 1e-05},
                       {"rope_scaling",
                        {{"beta_fast", 32.0},
                         {"beta_slow", 1.0},
                         {"factor", 32.0},
                         {"original_max_position_embeddings", 4096},
                         {"rope_type", "yarn"},
                         {"truncate", false}}},
                       {"rope_theta", 150000},
                       {"sliding_window", 128},
                       {"swiglu_limit", 7.0},
                       {"tie_word_embeddings", true},
                       {"vocab_size", 201088}};
  const ModelConfig model = read_config(MemorySource(format::Convention::kHuggingFace, config));
  EXPECT_EQ(model.activation, kernels::Activation::kClampedSilu) << "whatever hidden_act says";
  EXPECT_EQ(model.num_heads * model.head_dim, 4096);
  EXPECT_EQ(model.experts.rule.experts, 32);
  EXPECT_EQ(model.experts.rule.per_token, 4);
  EXPECT_EQ(model.experts.rule.score, kernels::RouterRule::Score::kSoftmaxOfChosen);
  EXPECT_EQ(model.experts.intermediate_size, 2880);
  EXPECT_FLOAT_EQ(model.attention_scale, 0.125F);
  for (size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(model.layers[i].window, i % 2 == 0 ? 128 : 0);
    EXPECT_TRUE(model.layers[i].routed);
  }
  // The blend begins at 8.09 and ends at 17.4: whole numbers would be 8 and 18.
  const std::vector<float>& frequencies = model.rotary.at(0).inverse_freq;
  ASSERT_EQ(frequencies.size(), 32U);
  const auto kept = [&](size_t i) {
    const double plain = std::pow(150000.0, -2.0 * static_cast<double>(i) / 64);
    return (static_cast<double>(frequencies[i]) / plain - 1.0 / 32) / (1 - 1.0 / 32);
  };
  const double low = 64 * std::log(4096 / (32 * 2 * M_PI)) / (2 * std::log(150000.0));
  const double high = 64 * std::log(4096 / (2 * M_PI)) / (2 * std::log(150000.0));
  EXPECT_NEAR(kept(8), 1, 1e-5);
  EXPECT_NEAR(kept(12), 1 - (12 - low) / (high - low), 1e-5);
  EXPECT_NEAR(kept(18), 0, 1e-5);
  EXPECT_NEAR(model.rotary[0].magnitude, 0.1 * std::log(32.0) + 1, 1e-6);
}

}  // namespace
}  // namespace caravel::model
