#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "read_configs.h"

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;

TEST(ReadConfig, WhatIsNotSaidIsDerived) {
  const ModelConfig config = folder_config({{"num_key_value_heads", nullptr}});
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.num_kv_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_FLOAT_EQ(config.attention_scale, 0.25F);
  EXPECT_FLOAT_EQ(config.norm_epsilon, 1e-6F);
  ASSERT_EQ(config.rotary.size(), 1U);
  EXPECT_EQ(config.rotary[0].dim, 16);
  EXPECT_NEAR(stretch(config.rotary[0], 10000, 7), 1, 1e-6);
  EXPECT_EQ(config.rotary_style, kernels::RotaryStyle::kHalves);
  EXPECT_TRUE(config.tied_lm_head) << "no lm_head.weight";
}

TEST(ReadConfig, ModelTypeIsEnoughWithoutArchitectures) {
  EXPECT_EQ(folder_config({{"architectures", nullptr}, {"model_type", "qwen3"}}).architecture, "qwen3");
}

TEST(ReadConfig, WhatTransformersIgnoresIsIgnoredAndSaid) {
  const ModelConfig partial = folder_config({{"partial_rotary_factor", 0.5}});
  EXPECT_EQ(partial.rotary.at(0).dim, 16);
  ASSERT_FALSE(partial.decisions.empty());
  EXPECT_EQ(partial.decisions[0].what, "partial_rotary_factor");
  EXPECT_EQ(partial.decisions[0].value, "ignored: 0.5");
  json gemma = tiny_llama_config();
  gemma.update({{"architectures", {"Gemma3ForCausalLM"}}, {"head_dim", 16}, {"attn_logit_softcapping", 50.0}});
  const ModelConfig config = read_as(Convention::kHuggingFace, gemma);
  EXPECT_EQ(config.attention_soft_cap, 0);
  EXPECT_EQ(config.decisions.at(0).what, "attn_logit_softcapping");
}

TEST(ReadConfig, ActivationsHaveTransformersNames) {
  using kernels::Activation;
  EXPECT_EQ(folder_config({{"hidden_act", "gelu"}}).activation, Activation::kGelu);
  EXPECT_EQ(folder_config({{"hidden_act", "gelu_new"}}).activation, Activation::kGeluTanh);
  EXPECT_EQ(folder_config({{"hidden_act", "swish"}}).activation, Activation::kSilu);
}

TEST(ReadConfig, OtherClassesOfTheFamiliesAreKnown) {
  EXPECT_EQ(folder_config({{"architectures", {"Qwen2Model"}}}).architecture, "qwen2");
  EXPECT_EQ(folder_config({{"architectures", {"Gemma3ForConditionalGeneration"}}, {"head_dim", 16}}).architecture,
            "gemma3");
  EXPECT_EQ(folder_config({{"architectures", nullptr}, {"model_type", "gemma3"}, {"head_dim", 16}}).architecture,
            "gemma3");
}

TEST(ReadConfig, AListOfRotatedLayersHasAllOfThem) {
  json config = {{"architectures", {"SmolLM3ForCausalLM"}}, {"no_rope_layers", {1}}};
  expect_folder_refused<FormatError>(config, {"no_rope_layers is [1]", "2 numbers"});
  config["no_rope_layers"] = 3;
  expect_folder_refused<FormatError>(config, {"no_rope_layers is 3", "2 numbers"});
  config["no_rope_layers"] = {1, 2};
  expect_folder_refused<FormatError>(config, {"no_rope_layers is 2", "from 0 to 1"});
  config.erase("no_rope_layers");
  config["no_rope_layer_interval"] = 0;
  expect_folder_refused<FormatError>(config, {"no_rope_layer_interval is 0"});
}

TEST(ReadConfig, UnknownArchitecturesAreRefusedByName) {
  expect_folder_refused<Unsupported>({{"architectures", {"MambaForCausalLM"}}},
                                     {"MambaForCausalLM", "LlamaForCausalLM"});
  expect_folder_refused<Unsupported>({{"architectures", {"LlamaForSequenceClassification"}}, {"model_type", "llama"}},
                                     {"LlamaForSequenceClassification"});
  expect_config_refused<Unsupported>(Convention::kGguf, {{"general.architecture", "mamba"}},
                                     {"mamba", "gemma3", "qwen2"});
  expect_config_refused<FormatError>(Convention::kGguf, json::object(), {"general.architecture"});
  expect_config_refused<FormatError>(Convention::kHuggingFace, json::object(), {"architectures", "model_type"});
}

TEST(ReadConfig, WhatIsNotSupportedIsNamed) {
  expect_folder_refused<Unsupported>({{"rope_scaling", {{"rope_type", "proportional"}, {"factor", 4.0}}}},
                                     {"proportional", "linear", "llama3", "yarn", "longrope"});
  expect_folder_refused<Unsupported>({{"use_bidirectional_attention", true}},
                                     {"use_bidirectional_attention", "causal"});
  expect_folder_refused<Unsupported>(
      {{"partial_rotary_factor", 0.5}, {"rope_scaling", {{"rope_type", "linear"}, {"factor", 4.0}}}},
      {"partial_rotary_factor is 0.5", "linear"});
  expect_folder_refused<Unsupported>({{"head_dim", 512}}, {"512", "256"});
  expect_folder_refused<Unsupported>({{"head_dim", 21}}, {"21", "even numbers"});
  expect_folder_refused<Unsupported>({{"hidden_act", "relu2"}}, {"hidden_act", "relu2", "silu"});
  json gguf = gguf_gemma();
  gguf["gemma3.rope.scaling.type"] = "proportional";
  expect_config_refused<Unsupported>(Convention::kGguf, gguf, {"proportional"});
  json hf = tiny_llama_config();
  hf.update({{"architectures", {"Qwen3ForCausalLM"}},
             {"use_sliding_window", true},
             {"sliding_window", 32},
             {"layer_types", {"full_attention", "linear_attention"}}});
  expect_config_refused<Unsupported>(Convention::kHuggingFace, hf, {"layer_types", "linear_attention"});
}

TEST(ReadConfig, NonsenseIsRefusedWithItsKey) {
  expect_folder_refused<FormatError>({{"num_attention_heads", 0}}, {"num_attention_heads is 0", "from 1 to"});
  expect_folder_refused<FormatError>({{"hidden_size", -64}}, {"hidden_size is -64"});
  expect_folder_refused<FormatError>({{"hidden_size", 1e30}}, {"hidden_size is 1e+30"});
  expect_folder_refused<FormatError>({{"hidden_size", 18446744073709551615U}}, {"hidden_size is 18446744073709551615"});
  expect_folder_refused<FormatError>({{"hidden_size", "64"}}, {"hidden_size is \"64\""});
  expect_folder_refused<FormatError>({{"num_hidden_layers", 1000000}}, {"num_hidden_layers is 1000000"});
  expect_folder_refused<FormatError>({{"num_key_value_heads", 3}},
                                     {"num_attention_heads is 4", "num_key_value_heads is 3"});
  expect_folder_refused<FormatError>({{"num_attention_heads", 6}}, {"hidden_size is 64", "6 heads"});
  expect_folder_refused<FormatError>({{"head_dim", 0}}, {"head_dim is 0"});
  expect_folder_refused<FormatError>({{"rms_norm_eps", -1.0}}, {"rms_norm_eps is -1"});
  expect_folder_refused<FormatError>({{"rope_theta", 0}}, {"rope_theta is 0"});
  expect_folder_refused<FormatError>({{"rope_scaling", {{"rope_type", "linear"}, {"factor", 0}}}},
                                     {"rope_scaling.factor is 0"});
  expect_folder_refused<FormatError>({{"partial_rotary_factor", 2}}, {"partial_rotary_factor"});

  json missing = tiny_llama_config();
  missing.erase("num_hidden_layers");
  expect_config_refused<FormatError>(Convention::kHuggingFace, missing, {"num_hidden_layers is missing"});
  json gguf = gguf_gemma();
  gguf["gemma3.attention.head_count"] = json::array({4, 4});
  expect_config_refused<FormatError>(Convention::kGguf, gguf, {"gemma3.attention.head_count is [4,4]"});
  gguf = gguf_gemma();
  gguf["gemma3.attention.sliding_window_pattern"] = {true};
  expect_config_refused<FormatError>(Convention::kGguf, gguf, {"sliding_window_pattern", "1 layers of 18"});
  gguf = gguf_gemma();
  gguf.erase("gemma3.vocab_size");
  expect_config_refused<FormatError>(Convention::kGguf, gguf, {"token_embd.weight"});
}

/// What is read as another kind of value than it is would be ignored in silence; null is as absent.
TEST(ReadConfig, ValuesOfAnotherKindAreRefusedByName) {
  const std::pair<const char*, json> wrong[] = {{"rope_scaling", "yarn"},
                                                {"rope_scaling", {"yarn", 4}},
                                                {"rope_parameters", 3},
                                                {"layer_types", "full_attention"},
                                                {"use_sliding_window", "true"},
                                                {"tie_word_embeddings", 0},
                                                {"use_bidirectional_attention", "yes"},
                                                {"hidden_act", {"silu"}},
                                                {"architectures", "Qwen3ForCausalLM"},
                                                {"architectures", {7}}};
  json config = tiny_llama_config();
  config.update({{"architectures", {"Qwen3ForCausalLM"}}, {"head_dim", 16}});
  for (const auto& [key, value] : wrong) {
    json changed = config;
    changed[key] = value;
    expect_config_refused<FormatError>(Convention::kHuggingFace, changed, {std::string(key) + " is " + value.dump()});
    if (std::string_view(key) == "architectures") continue;
    changed[key] = nullptr;
    EXPECT_NO_THROW(read_as(Convention::kHuggingFace, changed)) << key;
  }
  const std::pair<const char*, json> inside[] = {
      {"rope_type", 3}, {"type", {"yarn"}}, {"truncate", 0}, {"full_attention", "default"}, {"sliding_attention", 1}};
  for (const auto& [key, value] : inside) {
    json changed = config;
    changed["rope_scaling"] = {{"factor", 4.0}, {key, value}};
    expect_config_refused<FormatError>(Convention::kHuggingFace, changed,
                                       {"rope_scaling." + std::string(key) + " is " + value.dump()});
  }
  json gguf = gguf_gemma();
  gguf["gemma3.rope.scaling.type"] = 2;
  expect_config_refused<FormatError>(Convention::kGguf, gguf, {"gemma3.rope.scaling.type is 2; it must be a text"});
  config = {{"model_type", 5}};
  expect_config_refused<FormatError>(Convention::kHuggingFace, config, {"model_type is 5"});
}

TEST(ReadConfig, ValuesOfAnotherWidthThanKeysAreRefused) {
  json config = gguf_gemma();
  config["gemma3.attention.value_length"] = 256;
  EXPECT_NO_THROW(read_as(Convention::kGguf, config));
  config["gemma3.attention.value_length"] = 128;
  expect_config_refused<Unsupported>(Convention::kGguf, config,
                                     {"gemma3.attention.value_length is 128, and heads have 256 elements"});
}

}  // namespace
}  // namespace caravel::model
