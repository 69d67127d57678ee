#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "memory_source.h"
#include "model/config.h"

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

ModelConfig read(Convention convention, const json& config) { return read_config(MemorySource(convention, config)); }

ModelConfig read_hf(json changes) {
  json config = tiny_llama_config();
  config.merge_patch(changes);  // a null takes a key away
  return read(Convention::kHuggingFace, config);
}

/// Such a configuration is refused, and the one line of the message has all of `parts`.
template <typename E>
void expect_refused(Convention convention, const json& config, const std::vector<std::string>& parts) {
  try {
    read(convention, config);
    ADD_FAILURE() << "accepted " << config;
  } catch (const E& error) {
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}
template <typename E>
void expect_hf_refused(const json& changes, const std::vector<std::string>& parts) {
  json config = tiny_llama_config();
  config.update(changes);
  expect_refused<E>(Convention::kHuggingFace, config, parts);
}

json gguf_gemma() {
  return {{"general.architecture", "gemma3"},
          {"general.name", "Gemma"},
          {"gemma3.context_length", 32768},
          {"gemma3.embedding_length", 640},
          {"gemma3.block_count", 18},
          {"gemma3.feed_forward_length", 2048},
          {"gemma3.attention.head_count", 4},
          {"gemma3.attention.head_count_kv", 1},
          {"gemma3.attention.layer_norm_rms_epsilon", 1e-6},
          {"gemma3.attention.key_length", 256},
          {"gemma3.rope.freq_base", 1e6},
          {"gemma3.attention.sliding_window", 512},
          {"gemma3.vocab_size", 1000}};
}

/// Angle of pair i at position 1 by `spec`, over that of an unscaled base.
double stretch(const RotarySpec& spec, double theta, size_t i) {
  return spec.inverse_freq[i] / std::pow(theta, -2.0 * static_cast<double>(i) / spec.dim);
}

TEST(ReadConfig, WhatIsNotSaidIsDerived) {
  const ModelConfig config = read_hf({{"num_key_value_heads", nullptr}});
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
  EXPECT_EQ(read_hf({{"architectures", nullptr}, {"model_type", "qwen3"}}).architecture, "qwen3");
}

TEST(ReadConfig, RotaryParametersInAllSpellings) {
  // {old keys, new keys}
  const json linear[] = {{{"rope_theta", 500.0}, {"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}},
                         {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 500.0}}}}};
  for (const json& changes : linear) {
    const RotarySpec spec = read_hf(changes).rotary.at(0);
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(stretch(spec, 500, i), 0.25, 1e-6) << changes;
  }
}

TEST(ReadConfig, Llama3ScalingStretchesLongWavesAlone) {
  const RotarySpec spec = read_hf({{"rope_theta", 10000.0},
                                   {"head_dim", 64},
                                   {"rope_scaling",
                                    {{"rope_type", "llama3"},
                                     {"factor", 8.0},
                                     {"low_freq_factor", 1.0},
                                     {"high_freq_factor", 4.0},
                                     {"original_max_position_embeddings", 1024}}}})
                              .rotary.at(0);
  EXPECT_NEAR(stretch(spec, 10000, 0), 1, 1e-6);
  EXPECT_NEAR(stretch(spec, 10000, 31), 0.125, 1e-6);
  // Wavelength of pair 16: 2 pi 100 = 628; 1024 / 628 = 1.6297 turns, so (1.6297 - 1) / 3 of the way.
  const double smooth = (1024 / (200 * M_PI) - 1) / 3;
  EXPECT_NEAR(stretch(spec, 10000, 16), (1 - smooth) / 8 + smooth, 1e-6);
}

/// The numbers are what transformers 5.24's ROPE_INIT_FUNCTIONS give for a head of 16 and a base of 10,000.
TEST(ReadConfig, YarnIsTransformers) {
  const std::vector<float> last = {0.007905695F, 0.0025F, 0.000790569F, 0.00025F, 7.9057e-05F};
  const auto expect_yarn = [&](json scaling, json beside, float second, float third, float magnitude) {
    scaling["rope_type"] = "yarn";
    beside["rope_scaling"] = scaling;
    const RotarySpec spec = read_hf(beside).rotary.at(0);
    std::vector<float> expected = {1.0F, second, third};
    expected.insert(expected.end(), last.begin(), last.end());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(spec.inverse_freq.at(i), expected[i], expected[i] * 2e-6) << scaling << " " << i;
    }
    EXPECT_NEAR(spec.magnitude, magnitude, 1e-6) << scaling;
  };
  constexpr float kMagnitude = 1.138629436F;
  const json base = {{"factor", 4.0}, {"original_max_position_embeddings", 32}};
  const auto with = [&](const json& more) {
    json scaling = base;
    scaling.update(more);
    return scaling;
  };
  expect_yarn(base, json::object(), 0.197642356F, 0.025F, kMagnitude);
  expect_yarn(with({{"truncate", false}}), json::object(), 0.14849025F, 0.025F, kMagnitude);
  expect_yarn(with({{"beta_fast", 8.0}, {"beta_slow", 0.5}}), json::object(), 0.237170815F, 0.05F, kMagnitude);
  expect_yarn(with({{"attention_factor", 0.5}}), json::object(), 0.197642356F, 0.025F, 0.5F);
  expect_yarn(with({{"mscale", 1.0}, {"mscale_all_dim", 0.5}}), json::object(), 0.197642356F, 0.025F, 1.064821625F);
  expect_yarn({{"original_max_position_embeddings", 32}}, json::object(), 0.197642356F, 0.025F, kMagnitude);
  expect_yarn({{"factor", 4.0}}, json::object(), 0.237170815F, 0.05F, kMagnitude);
  expect_yarn(base, {{"original_max_position_embeddings", 16}}, 0.079056941F, 0.025F, kMagnitude);
}

TEST(ReadConfig, YarnReachesFurtherThanTheOriginalContext) {
  const json scaling = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}};
  EXPECT_EQ(read_hf({{"rope_scaling", scaling}}).max_position, 512);
  EXPECT_EQ(read_hf({{"rope_scaling", scaling}, {"max_position_embeddings", 600}}).max_position, 600);
}

TEST(ReadConfig, YarnFromGguf) {
  json config = gguf_gemma();
  config.update({{"gemma3.rope.scaling.type", "yarn"},
                 {"gemma3.rope.scaling.factor", 4.0},
                 {"gemma3.rope.scaling.original_context_length", 8192}});
  const ModelConfig yarn = read(Convention::kGguf, config);
  EXPECT_NEAR(yarn.rotary.at(0).magnitude, 1.138629436, 1e-6);
  EXPECT_EQ(yarn.max_position, 32768);
  EXPECT_NEAR(stretch(yarn.rotary.at(0), 1e6, 0), 1, 1e-6);
  EXPECT_NEAR(stretch(yarn.rotary.at(0), 1e6, 120), 0.25, 1e-5);
  EXPECT_NEAR(stretch(yarn.rotary.at(1), 1e4, 100), 1, 1e-5) << "layers with a window are as they were";
  config["gemma3.rope.scaling.yarn_log_multiplier"] = 0.5;  // as an mscale_all_dim of a folder, above
  EXPECT_NEAR(read(Convention::kGguf, config).rotary.at(0).magnitude, 1.064821625, 1e-6);
  config["gemma3.rope.scaling.yarn_log_multiplier"] = 1.0;
  EXPECT_NEAR(read(Convention::kGguf, config).rotary.at(0).magnitude, 1, 1e-6);
  config["gemma3.rope.scaling.yarn_log_multiplier"] = -1.0;
  expect_refused<FormatError>(Convention::kGguf, config, {"yarn_log_multiplier is -1.0"});
}

TEST(ReadConfig, QueriesGrowWhateverScalingIsGiven) {
  json config = tiny_llama_config();
  config.update({{"architectures", {"Ministral3ForCausalLM"}},
                 {"rope_parameters",
                  {{"rope_type", "yarn"},
                   {"factor", 16.0},
                   {"original_max_position_embeddings", 64},
                   {"llama_4_scaling_beta", 0.25}}}});
  const MemorySource source(Convention::kHuggingFace, config);
  for (const char* scaling : {"", "none", R"({"rope_type": "yarn", "factor": 2})"}) {
    const RotarySpec spec = read_config(source, scaling).rotary.at(0);
    EXPECT_FLOAT_EQ(spec.query_growth, 0.25F) << scaling;
    EXPECT_EQ(spec.query_interval, 64) << scaling;
  }
  config["architectures"] = {"MistralForCausalLM"};  // of which transformers does not read it
  EXPECT_EQ(read(Convention::kHuggingFace, config).rotary.at(0).query_growth, 0);
  config["architectures"] = {"Ministral3ForCausalLM"};
  config["rope_parameters"]["llama_4_scaling_beta"] = -0.5;
  expect_refused<FormatError>(Convention::kHuggingFace, config, {"rope_parameters.llama_4_scaling_beta is -0.5"});
}

json phi_longrope() {
  return {{"architectures", {"Phi3ForCausalLM"}},
          {"num_attention_heads", 4},
          {"max_position_embeddings", 131072},
          {"original_max_position_embeddings", 4096},
          {"rope_theta", 10000.0},
          {"partial_rotary_factor", 0.5},
          {"rope_scaling",
           {{"type", "longrope"}, {"short_factor", {1.0, 1.5, 2.0, 4.0}}, {"long_factor", {1.0, 3.0, 8.0, 32.0}}}}};
}

TEST(ReadConfig, LongropeHasFrequenciesForShortAndLongSequences) {
  const auto check = [](const json& changes, float magnitude) {
    const RotarySpec spec = read_hf(changes).rotary.at(0);
    ASSERT_EQ(spec.dim, 8) << "half of a head of 16";
    const std::vector<float> of_short = {1.0F, 1.5F, 2.0F, 4.0F};
    const std::vector<float> of_long = {1.0F, 3.0F, 8.0F, 32.0F};
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(stretch(spec, 10000, i) * of_short[i], 1, 1e-6);
      EXPECT_NEAR(spec.long_inverse_freq.at(i) * of_long[i], spec.inverse_freq[i] * of_short[i], 1e-7);
    }
    EXPECT_EQ(spec.short_context, 4096);
    EXPECT_FALSE(spec.is_long(4096));
    EXPECT_TRUE(spec.is_long(4097));
    EXPECT_NEAR(spec.magnitude, magnitude, 1e-6);
  };
  // sqrt(1 + ln(32) / ln(4096)), which transformers 5.24 gives for both sets.
  json changes = phi_longrope();
  check(changes, 1.190238F);
  for (const char* type : {"su", "yarn"}) {  // as Phi-3's first folders said it
    changes["rope_scaling"]["type"] = type;
    check(changes, 1.190238F);
  }
  changes["rope_scaling"]["attention_factor"] = 0.5;
  check(changes, 0.5F);
  // Phi-3's class has 4096 where its folder does not say it, whatever stands in the object.
  changes.erase("original_max_position_embeddings");
  changes["rope_scaling"]["original_max_position_embeddings"] = 64;
  check(changes, 0.5F);
}

TEST(ReadConfig, LongropeNeedsAFactorForEachFrequency) {
  json changes = phi_longrope();
  changes["rope_scaling"]["long_factor"] = {1.0, 2.0, 3.0};
  expect_hf_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
  changes["rope_scaling"].erase("long_factor");
  expect_hf_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
  changes["rope_scaling"]["long_factor"] = {1.0, 2.0, 0.0, 3.0};
  expect_hf_refused<FormatError>(changes, {"rope_scaling.long_factor[2]", "0.0"});
  changes["rope_scaling"]["long_factor"] = "long";
  expect_hf_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
}

TEST(ReadConfig, LongropeFromGguf) {
  json config = {{"general.architecture", "phi3"},
                 {"phi3.context_length", 131072},
                 {"phi3.embedding_length", 64},
                 {"phi3.block_count", 2},
                 {"phi3.feed_forward_length", 96},
                 {"phi3.attention.head_count", 4},
                 {"phi3.attention.layer_norm_rms_epsilon", 1e-5},
                 {"phi3.attention.sliding_window", 2047},
                 {"phi3.rope.dimension_count", 4},
                 {"phi3.rope.scaling.original_context_length", 4096},
                 {"phi3.rope.scaling.attn_factor", 1.25},
                 {"phi3.rope.scaling.type", "longrope"},
                 {"phi3.vocab_size", 50}};
  const auto expect_missing = [](const MemorySource& source, const char* name) {
    try {
      read_config(source);
      ADD_FAILURE() << "no " << name;
    } catch (const FormatError& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  };
  MemorySource source(Convention::kGguf, config);
  expect_missing(source, "rope_factors_long.weight is missing");
  source.add("rope_factors_long.weight", {2}, {1.0F, 8.0F});
  expect_missing(source, "rope_factors_short.weight is missing");
  source.add("rope_factors_short.weight", {3}, {1.0F, 2.0F, 3.0F});
  expect_missing(source, "rope_factors_short.weight must have 2 elements");
  source.add("rope_factors_short.weight", {2}, {1.0F, 2.0F});
  // Older converters did not write the type.
  for (int i = 0; i < 2; ++i, source.config().erase("phi3.rope.scaling.type")) {
    const ModelConfig read = read_config(source);
    const RotarySpec& spec = read.rotary.at(0);
    EXPECT_EQ(spec.short_context, 4096);
    EXPECT_FLOAT_EQ(spec.magnitude, 1.25F);
    EXPECT_FLOAT_EQ(spec.inverse_freq.at(1), 0.01F / 2);
    EXPECT_FLOAT_EQ(spec.long_inverse_freq.at(1), 0.01F / 8);
    EXPECT_EQ(read.layers.at(1).window, 2047);
  }
}

TEST(ReadConfig, DynamicScalingIsNoneUpToTheModelsContext) {
  const ModelConfig config = read_hf({{"rope_scaling", {{"type", "dynamic"}, {"factor", 4.0}}}});
  EXPECT_EQ(config.rotary.at(0).inverse_freq, read_hf(json::object()).rotary.at(0).inverse_freq);
  EXPECT_EQ(config.max_position, 128);
  EXPECT_THAT(config.rotary.at(0).scaling, AllOf(HasSubstr("dynamic"), HasSubstr("128 tokens")));
}

constexpr const char* kGivenYarn = R"({"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32})";

TEST(ReadConfig, AGivenScalingTakesThePlaceOfTheFiles) {
  const json yarn = json::parse(kGivenYarn);
  const ModelConfig own = read_hf({{"rope_scaling", yarn}, {"rope_theta", 500.0}});
  const json configs[] = {{{"rope_theta", 500.0}},
                          {{"rope_theta", 500.0}, {"original_max_position_embeddings", 16}},
                          {{"rope_theta", 500.0}, {"rope_scaling", {{"rope_type", "longrope"}, {"factor", 8.0}}}},
                          {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 500.0}}}}};
  for (json config : configs) {
    const json base = tiny_llama_config();
    for (const auto& [key, value] : base.items()) {
      if (!config.contains(key)) config[key] = value;
    }
    const ModelConfig given = read_config(MemorySource(Convention::kHuggingFace, config), kGivenYarn);
    EXPECT_EQ(given.rotary.at(0).inverse_freq, own.rotary.at(0).inverse_freq) << config;
    EXPECT_EQ(given.rotary.at(0).magnitude, own.rotary.at(0).magnitude) << config;
    const Decision& decision = given.decisions.back();
    EXPECT_THAT(decision.value, HasSubstr("yarn, factor 4 over 32 tokens"));
    EXPECT_EQ(decision.why, "given");
    EXPECT_EQ(decision.flag, "--rope-scaling");
    const RotarySpec none = read_config(MemorySource(Convention::kHuggingFace, config), "none").rotary.at(0);
    EXPECT_NEAR(stretch(none, 500, 7), 1, 1e-6) << config;
    EXPECT_EQ(none.magnitude, 1) << config;
  }
  EXPECT_EQ(own.decisions.back().why, "config.json");
}

TEST(ReadConfig, AGivenScalingSaysHowFarItReaches) {
  const MemorySource source(Convention::kHuggingFace, tiny_llama_config());  // 128 tokens
  const auto reach = [&](const char* scaling) { return read_config(source, scaling).max_position; };
  EXPECT_EQ(reach(""), 128);
  EXPECT_EQ(reach("none"), 128);
  EXPECT_EQ(reach(R"({"type":"linear","factor":4})"), 512);
  EXPECT_EQ(reach(R"({"rope_type":"llama3","factor":8,"original_max_position_embeddings":100})"), 800);
  EXPECT_EQ(reach(R"({"rope_type":"yarn","factor":2})"), 256);
  EXPECT_EQ(reach(R"({"rope_type":"dynamic","factor":2})"), 128);
}

TEST(ReadConfig, AGivenScalingForGguf) {
  const ModelConfig own = read(Convention::kGguf, gguf_gemma());
  json config = gguf_gemma();
  config.update({{"gemma3.rope.scaling.type", "longrope"}, {"gemma3.rope.scaling.factor", 8.0}});
  MemorySource source(Convention::kGguf, config);
  source.add("rope_freqs.weight", {128}, std::vector<float>(128, 2));
  EXPECT_EQ(read_config(source, "none").rotary.at(0).inverse_freq, own.rotary.at(0).inverse_freq);

  config.update({{"gemma3.rope.scaling.type", "yarn"},
                 {"gemma3.rope.scaling.factor", 4.0},
                 {"gemma3.rope.scaling.original_context_length", 32}});
  const ModelConfig yarn = read(Convention::kGguf, config);
  const ModelConfig given = read_config(source, kGivenYarn);
  EXPECT_EQ(given.rotary.at(0).inverse_freq, yarn.rotary.at(0).inverse_freq);
  EXPECT_EQ(given.rotary.at(0).magnitude, yarn.rotary.at(0).magnitude);
  EXPECT_EQ(given.rotary.at(1).inverse_freq, own.rotary.at(1).inverse_freq) << "that of the layers with a window";
  EXPECT_FALSE(given.rotary.at(1).given);

  const ModelConfig both = read_config(
      source, R"({"sliding_attention":{"rope_type":"linear","factor":2},"full_attention":{"rope_type":"none"}})");
  EXPECT_EQ(both.rotary.at(0).inverse_freq, own.rotary.at(0).inverse_freq);
  EXPECT_NEAR(stretch(both.rotary.at(1), 1e4, 100), 0.5, 1e-6);
}

TEST(ReadConfig, AGivenScalingThatMakesNoSenseIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"yarn", "rope_scaling: give none, or an object in JSON"},
      {"[1]", "rope_scaling: give none"},
      {"{}", "it needs a rope_type"},
      {R"({"rope_type":"yarn"})", "yarn needs a factor"},
      {R"({"rope_type":"linear","factor":"4"})", "linear needs a factor"},
      {R"({"rope_type":"linear","factor":4,"fator":2})", "unknown parameter \"fator\""},
      {R"({"rope_type":"linear","factor":-1})", "the given rope_scaling.factor is -1"},
      {R"({"sliding_attention":{"rope_type":"none"}})", "no rotary embedding of its own"},
      {R"({"full_attention":{"rope_type":"none"},"chunked":{}})", "\"chunked\" is no type of layer"},
      {R"({"full_attention":3})", "3 is no object"},
  };
  const MemorySource source(Convention::kHuggingFace, tiny_llama_config());
  for (const auto& [scaling, part] : cases) {
    try {
      read_config(source, scaling);
      ADD_FAILURE() << "accepted " << scaling;
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(part), Not(HasSubstr("\n"))));
    }
  }
  EXPECT_THROW(read_config(source, R"({"rope_type":"proportional","factor":4})"), Unsupported);
  EXPECT_THROW(read_config(source, R"({"rope_type":"longrope","factor":4})"), InvalidArgument) << "without factors";
}

TEST(ReadConfig, WhatTransformersIgnoresIsIgnoredAndSaid) {
  const ModelConfig partial = read_hf({{"partial_rotary_factor", 0.5}});
  EXPECT_EQ(partial.rotary.at(0).dim, 16);
  ASSERT_FALSE(partial.decisions.empty());
  EXPECT_EQ(partial.decisions[0].what, "partial_rotary_factor");
  EXPECT_EQ(partial.decisions[0].value, "ignored: 0.5");
  json gemma = tiny_llama_config();
  gemma.update({{"architectures", {"Gemma3ForCausalLM"}}, {"head_dim", 16}, {"attn_logit_softcapping", 50.0}});
  const ModelConfig config = read(Convention::kHuggingFace, gemma);
  EXPECT_EQ(config.attention_soft_cap, 0);
  EXPECT_EQ(config.decisions.at(0).what, "attn_logit_softcapping");
}

TEST(ReadConfig, ActivationsHaveTransformersNames) {
  using kernels::Activation;
  EXPECT_EQ(read_hf({{"hidden_act", "gelu"}}).activation, Activation::kGelu);
  EXPECT_EQ(read_hf({{"hidden_act", "gelu_new"}}).activation, Activation::kGeluTanh);
  EXPECT_EQ(read_hf({{"hidden_act", "swish"}}).activation, Activation::kSilu);
}

TEST(ReadConfig, OtherClassesOfTheFamiliesAreKnown) {
  EXPECT_EQ(read_hf({{"architectures", {"Qwen2Model"}}}).architecture, "qwen2");
  EXPECT_EQ(read_hf({{"architectures", {"Gemma3ForConditionalGeneration"}}, {"head_dim", 16}}).architecture, "gemma3");
  EXPECT_EQ(read_hf({{"architectures", nullptr}, {"model_type", "gemma3"}, {"head_dim", 16}}).architecture, "gemma3");
}

TEST(ReadConfig, MistralsWindowMayBeNull) {
  json config = tiny_llama_config();
  config["architectures"] = {"MistralForCausalLM"};
  config["sliding_window"] = 32;
  EXPECT_EQ(read(Convention::kHuggingFace, config).layers.at(1).window, 32);
  config["sliding_window"] = nullptr;
  EXPECT_EQ(read(Convention::kHuggingFace, config).layers.at(1).window, 0);
  config.erase("sliding_window");
  EXPECT_EQ(read(Convention::kHuggingFace, config).layers.at(1).window, 4096) << "as transformers reads it";
}

TEST(ReadConfig, Qwen2HasAWindowOnlyWhereItSaysSo) {
  const json base = {{"architectures", {"Qwen2ForCausalLM"}}, {"sliding_window", 32}, {"max_window_layers", 1}};
  EXPECT_EQ(read_hf(base).layers.at(1).window, 0);
  json on = base;
  on["use_sliding_window"] = true;
  EXPECT_EQ(read_hf(on).layers.at(0).window, 0);
  EXPECT_EQ(read_hf(on).layers.at(1).window, 32);
  on["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_EQ(read_hf(on).layers.at(0).window, 32);
  EXPECT_EQ(read_hf(on).layers.at(1).window, 0);
}

TEST(ReadConfig, GranitesMultipliers) {
  // The published 2B's.
  const json multipliers = {{"attention_multiplier", 0.015625},
                            {"embedding_multiplier", 12.0},
                            {"residual_multiplier", 0.22},
                            {"logits_scaling", 8.0}};
  json changes = {{"architectures", {"GraniteForCausalLM"}}, {"rms_norm_eps", 1e-5}};
  const ModelConfig plain = read_hf(changes);
  EXPECT_FLOAT_EQ(plain.attention_scale, 1) << "the class's default, whatever head_dim";
  EXPECT_FLOAT_EQ(plain.embedding_scale, 1);
  EXPECT_FLOAT_EQ(plain.logits_scale, 1);
  EXPECT_FLOAT_EQ(plain.norm_epsilon, 1e-5F);
  changes.update(multipliers);
  const ModelConfig config = read_hf(changes);
  EXPECT_FLOAT_EQ(config.attention_scale, 0.015625F);
  EXPECT_FLOAT_EQ(config.logits_scale, 0.125F);
  // The residual stream is kept divided by its multiplier.
  EXPECT_FLOAT_EQ(config.embedding_scale, 12.0F / 0.22F);
  EXPECT_FLOAT_EQ(config.norm_epsilon, 1e-5F / (0.22F * 0.22F));
  for (const char* key : {"attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling"}) {
    json wrong = changes;
    for (const json& value : {json(0), json(-1.0), json("1")}) {
      wrong[key] = value;
      expect_hf_refused<FormatError>(wrong, {std::string(key) + " is " + value.dump()});
    }
  }
}

TEST(ReadConfig, Glm4RotatesHalfOfAHead) {
  for (const char* architecture : {"GlmForCausalLM", "Glm4ForCausalLM"}) {
    const ModelConfig config = read_hf({{"architectures", {architecture}}, {"head_dim", 16}});
    EXPECT_EQ(config.rotary.at(0).dim, 8) << "what the class has where the folder does not say it";
    EXPECT_EQ(config.rotary_style, kernels::RotaryStyle::kInterleaved);
    EXPECT_EQ(read_hf({{"architectures", {architecture}}, {"head_dim", 16}, {"partial_rotary_factor", 0.25}})
                  .rotary.at(0)
                  .dim,
              4);
  }
}

TEST(ReadConfig, SmolLm3RotatesTheLayersThatItsListSays) {
  const auto layers = [](const json& changes) {
    json config = {{"architectures", {"SmolLM3ForCausalLM"}}, {"num_hidden_layers", 5}};
    config.update(changes);
    std::string kinds;  // a digit for a rotary embedding, w for a window
    for (const LayerSpec& layer : read_hf(config).layers) {
      kinds += layer.rotary < 0 ? "-" : std::to_string(layer.rotary);
      if (layer.window != 0) kinds += 'w';
    }
    return kinds;
  };
  EXPECT_EQ(layers(json::object()), "000-0");
  EXPECT_EQ(layers({{"no_rope_layer_interval", 2}}), "0-0-0");
  const json list = {0, 1, 1, 0, 1, 0};  // may be longer than there are layers
  EXPECT_EQ(layers({{"no_rope_layers", list}, {"no_rope_layer_interval", 2}}), "-00-0");
  EXPECT_EQ(layers({{"no_rope_layers", list}, {"sliding_window", 16}}), "-00-0");
  EXPECT_EQ(layers({{"no_rope_layers", list}, {"sliding_window", 16}, {"use_sliding_window", true}}), "-w00-w0");
  json types = json::array({"full_attention", "full_attention", "full_attention", "full_attention", "full_attention"});
  types[2] = "sliding_attention";
  EXPECT_EQ(layers({{"sliding_window", 16}, {"use_sliding_window", true}, {"layer_types", types}}), "000w-0");
  EXPECT_EQ(layers({{"sliding_window", 16}, {"use_sliding_window", false}, {"layer_types", types}}), "000w-0");
}

TEST(ReadConfig, AListOfRotatedLayersHasAllOfThem) {
  json config = {{"architectures", {"SmolLM3ForCausalLM"}}, {"no_rope_layers", {1}}};
  expect_hf_refused<FormatError>(config, {"no_rope_layers is [1]", "2 numbers"});
  config["no_rope_layers"] = 3;
  expect_hf_refused<FormatError>(config, {"no_rope_layers is 3", "2 numbers"});
  config["no_rope_layers"] = {1, 2};
  expect_hf_refused<FormatError>(config, {"no_rope_layers is 2", "from 0 to 1"});
  config.erase("no_rope_layers");
  config["no_rope_layer_interval"] = 0;
  expect_hf_refused<FormatError>(config, {"no_rope_layer_interval is 0"});
}

TEST(ReadConfig, Gemma3FromGguf) {
  const ModelConfig config = read(Convention::kGguf, gguf_gemma());
  EXPECT_EQ(config.name, "Gemma");
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_FLOAT_EQ(config.attention_scale, 1.0F / 16);
  EXPECT_FLOAT_EQ(config.embedding_scale, std::sqrt(640.0F));
  EXPECT_EQ(config.activation, kernels::Activation::kGeluTanh);
  EXPECT_FALSE(config.norm_adds_one);
  ASSERT_EQ(config.layers.size(), 18U);
  for (size_t i = 0; i < 18; ++i) {
    const bool global = i % 6 == 5;
    EXPECT_EQ(config.layers[i].window, global ? 0 : 512) << i;
    EXPECT_NEAR(stretch(config.rotary.at(static_cast<size_t>(config.layers[i].rotary)), global ? 1e6 : 1e4, 100), 1,
                1e-5);
  }
}

TEST(ReadConfig, Gemma3sPatternMayBeAList) {
  json config = gguf_gemma();
  config["gemma3.block_count"] = 3;
  config["gemma3.attention.sliding_window_pattern"] = {false, true, false};
  const ModelConfig read_back = read(Convention::kGguf, config);
  EXPECT_EQ(read_back.layers.at(0).window, 0);
  EXPECT_EQ(read_back.layers.at(1).window, 512);
  EXPECT_EQ(read_back.layers.at(2).window, 0);
}

TEST(ReadConfig, TheLargestGemma3InGgufScalesByItsOwnScalar) {
  json config = gguf_gemma();
  config.update({{"gemma3.block_count", 62},
                 {"gemma3.embedding_length", 5376},
                 {"gemma3.attention.head_count", 32},
                 {"gemma3.attention.key_length", 128}});
  EXPECT_FLOAT_EQ(read(Convention::kGguf, config).attention_scale, 1 / std::sqrt(168.0F));
}

// llama.cpp's converter writes OLMo 2 and 3 alike: the latter's windowed layers have the base of the others without
// their scaling.
TEST(ReadConfig, WindowedLayersOfOlmoInGgufAreNotScaled) {
  json config = {{"general.architecture", "olmo2"},
                 {"olmo2.context_length", 65536},
                 {"olmo2.embedding_length", 64},
                 {"olmo2.block_count", 8},
                 {"olmo2.feed_forward_length", 96},
                 {"olmo2.attention.head_count", 4},
                 {"olmo2.attention.layer_norm_rms_epsilon", 1e-6},
                 {"olmo2.rope.freq_base", 5e5},
                 {"olmo2.vocab_size", 50}};
  const ModelConfig whole = read(Convention::kGguf, config);
  EXPECT_TRUE(whole.qk_norm_rows);
  EXPECT_EQ(whole.rotary.size(), 1U);
  config.update({{"olmo2.attention.sliding_window", 16},
                 {"olmo2.rope.scaling.type", "yarn"},
                 {"olmo2.rope.scaling.factor", 8.0},
                 {"olmo2.rope.scaling.original_context_length", 8192}});
  const ModelConfig windowed = read(Convention::kGguf, config);
  ASSERT_EQ(windowed.rotary.size(), 2U);
  EXPECT_NEAR(stretch(windowed.rotary[0], 5e5, 7), 0.125, 1e-6);
  EXPECT_NEAR(stretch(windowed.rotary[1], 5e5, 7), 1, 1e-6);
  EXPECT_EQ(windowed.rotary[1].magnitude, 1);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(windowed.layers[i].window, i % 4 == 3 ? 0 : 16) << i;
    EXPECT_EQ(windowed.layers[i].rotary, i % 4 == 3 ? 0 : 1) << i;
  }
}

TEST(ReadConfig, Olmo3sWindowedLayersAreNotScaled) {
  const json base = {{"architectures", {"Olmo3ForCausalLM"}}, {"num_hidden_layers", 8}, {"rope_theta", 5e5}};
  const auto read_olmo = [&](const json& changes) {
    json config = base;
    config.update(changes);
    return read_hf(config);
  };
  const json scaling = {{"rope_type", "yarn"}, {"factor", 8.0}, {"original_max_position_embeddings", 32}};
  const ModelConfig config = read_olmo({{"rope_scaling", scaling}});
  ASSERT_EQ(config.rotary.size(), 2U);
  EXPECT_NEAR(stretch(config.rotary[0], 5e5, 7), 0.125, 1e-6);
  EXPECT_NEAR(stretch(config.rotary[1], 5e5, 7), 1, 1e-6);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(config.layers[i].window, i % 4 == 3 ? 0 : 4096) << i;
    EXPECT_EQ(config.layers[i].rotary, i % 4 == 3 ? 0 : 1) << i;
  }
  json types(8, "full_attention");
  types[5] = "sliding_attention";
  const ModelConfig listed = read_olmo({{"layer_types", types}, {"sliding_window", 16}});
  EXPECT_EQ(listed.layers[4].window, 0);
  EXPECT_EQ(listed.layers[5].window, 16);
  // In the spelling since transformers 5, each kind of layer says its own.
  const ModelConfig nested =
      read_olmo({{"rope_theta", nullptr},
                 {"rope_parameters",
                  {{"full_attention", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 700.0}}},
                   {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 900.0}}}}}});
  EXPECT_NEAR(stretch(nested.rotary.at(0), 700, 5), 0.25, 1e-6);
  EXPECT_NEAR(stretch(nested.rotary.at(1), 900, 5), 1, 1e-6);
}

TEST(ReadConfig, Gpt2sKeysAreItsOwn) {
  const json config = {{"architectures", {"GPT2LMHeadModel"}},
                       {"n_embd", 64},
                       {"n_layer", 3},
                       {"n_head", 4},
                       {"n_positions", 128},
                       {"n_inner", nullptr},
                       {"layer_norm_epsilon", 1e-3},
                       {"vocab_size", 50},
                       {"activation_function", "gelu"},
                       {"scale_attn_weights", true},
                       {"n_ctx", 256}};
  const ModelConfig gpt2 = read(Convention::kHuggingFace, config);
  EXPECT_EQ(gpt2.hidden_size, 64);
  EXPECT_EQ(gpt2.intermediate_size, 256) << "four times as wide where n_inner is null";
  EXPECT_EQ(gpt2.num_kv_heads, 4);
  EXPECT_EQ(gpt2.head_dim, 16);
  EXPECT_EQ(gpt2.max_position, 128);
  EXPECT_FLOAT_EQ(gpt2.norm_epsilon, 1e-3F);
  EXPECT_EQ(gpt2.activation, kernels::Activation::kGelu);
  EXPECT_TRUE(gpt2.layer_norm);
  EXPECT_TRUE(gpt2.rotary.empty());
  ASSERT_EQ(gpt2.layers.size(), 3U);
  for (const LayerSpec& layer : gpt2.layers) EXPECT_EQ(layer.rotary, -1);
  const auto changed = [&](const json& changes) {
    json other = config;
    other.update(changes);
    return other;
  };
  EXPECT_EQ(read(Convention::kHuggingFace, changed({{"n_inner", 96}})).intermediate_size, 96);
  expect_refused<Unsupported>(Convention::kHuggingFace, changed({{"scale_attn_by_inverse_layer_idx", true}}),
                              {"scale_attn_by_inverse_layer_idx is true", "gpt2"});
  expect_refused<Unsupported>(Convention::kHuggingFace, changed({{"scale_attn_weights", false}}),
                              {"scale_attn_weights is false"});
  EXPECT_THROW(read_config(MemorySource(Convention::kHuggingFace, config), kGivenYarn), InvalidArgument);
  EXPECT_NO_THROW(read_config(MemorySource(Convention::kHuggingFace, config), "none"));
}

TEST(ReadConfig, OptOf350MIsAnotherModel) {
  json config = {{"architectures", {"OPTForCausalLM"}},
                 {"hidden_size", 64},
                 {"num_hidden_layers", 2},
                 {"num_attention_heads", 4},
                 {"ffn_dim", 96},
                 {"vocab_size", 50},
                 {"do_layer_norm_before", true}};
  const ModelConfig opt = read(Convention::kHuggingFace, config);
  EXPECT_EQ(opt.intermediate_size, 96);
  EXPECT_EQ(opt.max_position, 2048);
  EXPECT_EQ(opt.first_position, 2);
  EXPECT_FLOAT_EQ(opt.norm_epsilon, 1e-5F);
  EXPECT_EQ(opt.activation, kernels::Activation::kRelu);
  config["do_layer_norm_before"] = false;
  expect_refused<Unsupported>(Convention::kHuggingFace, config, {"do_layer_norm_before is false", "opt"});
}

json gguf_gemma2() {
  return {{"general.architecture", "gemma2"},     {"gemma2.context_length", 8192},
          {"gemma2.embedding_length", 4608},      {"gemma2.block_count", 46},
          {"gemma2.feed_forward_length", 36864},  {"gemma2.attention.head_count", 32},
          {"gemma2.attention.head_count_kv", 16}, {"gemma2.attention.layer_norm_rms_epsilon", 1e-6},
          {"gemma2.attention.key_length", 128},   {"gemma2.vocab_size", 1000}};
}

TEST(ReadConfig, Gemma2FromGguf) {
  const ModelConfig config = read(Convention::kGguf, gguf_gemma2());
  EXPECT_FLOAT_EQ(config.attention_scale, 1 / std::sqrt(144.0F)) << "27B's own scalar";
  EXPECT_EQ(config.attention_soft_cap, 50);
  EXPECT_EQ(config.final_soft_cap, 30);
  EXPECT_EQ(config.layers.at(0).window, 4096);
  EXPECT_EQ(config.layers.at(1).window, 0);
  json smaller = gguf_gemma2();
  smaller.update({{"gemma2.block_count", 26},
                  {"gemma2.attention.sliding_window", 64},
                  {"gemma2.attn_logit_softcapping", 7.0},
                  {"gemma2.final_logit_softcapping", 5.0}});
  const ModelConfig read_smaller = read(Convention::kGguf, smaller);
  EXPECT_FLOAT_EQ(read_smaller.attention_scale, 1 / std::sqrt(128.0F));
  EXPECT_EQ(read_smaller.attention_soft_cap, 7);
  EXPECT_EQ(read_smaller.final_soft_cap, 5);
  EXPECT_EQ(read_smaller.layers.at(2).window, 64);
}

TEST(ReadConfig, Gemma2sCapsMayBeOff) {
  const json gemma = {{"architectures", {"Gemma2ForCausalLM"}}, {"head_dim", 16}};
  const ModelConfig usual = read_hf(gemma);
  EXPECT_EQ(usual.attention_soft_cap, 50);
  EXPECT_EQ(usual.final_soft_cap, 30);
  EXPECT_FLOAT_EQ(usual.attention_scale, 1.0F / 16) << "query_pre_attn_scalar is 256 unless it is said";
  EXPECT_EQ(usual.layers.at(0).window, 4096);
  EXPECT_EQ(usual.layers.at(1).window, 0);
  json config = tiny_llama_config();
  config.update(gemma);
  config.update({{"attn_logit_softcapping", nullptr}, {"final_logit_softcapping", nullptr}});
  const ModelConfig off = read(Convention::kHuggingFace, config);
  EXPECT_EQ(off.attention_soft_cap, 0);
  EXPECT_EQ(off.final_soft_cap, 0);
}

TEST(ReadConfig, LlamaFromGguf) {
  const json base = {{"general.architecture", "llama"},
                     {"llama.context_length", 128},
                     {"llama.embedding_length", 64},
                     {"llama.block_count", 2},
                     {"llama.feed_forward_length", 96},
                     {"llama.attention.head_count", 4},
                     {"llama.vocab_size", 50},
                     {"llama.attention.layer_norm_rms_epsilon", 1e-5},
                     {"llama.rope.scaling.type", "linear"},
                     {"llama.rope.scaling.factor", 2.0}};
  MemorySource source(Convention::kGguf, base);
  EXPECT_EQ(read_config(source).rotary_style, kernels::RotaryStyle::kInterleaved);
  EXPECT_NEAR(stretch(read_config(source).rotary.at(0), 10000, 3), 0.5, 1e-6);

  source.config()["llama.rope.scaling.type"] = "none";
  source.add("rope_freqs.weight", {8}, {1, 1, 1, 2, 2, 4, 8, 8});
  EXPECT_NEAR(stretch(read_config(source).rotary.at(0), 10000, 2), 1, 1e-6);
  EXPECT_NEAR(stretch(read_config(source).rotary.at(0), 10000, 7), 0.125, 1e-6);

  source.add("rope_freqs.weight", {8}, {1, 1, 1, 2, 2, 4, 8, 0});
  EXPECT_THROW(read_config(source), FormatError);
  source.add("rope_freqs.weight", {7}, {1, 1, 1, 2, 2, 4, 8});
  EXPECT_THROW(read_config(source), FormatError);
}

TEST(ReadConfig, UnknownArchitecturesAreRefusedByName) {
  expect_hf_refused<Unsupported>({{"architectures", {"MambaForCausalLM"}}}, {"MambaForCausalLM", "LlamaForCausalLM"});
  expect_hf_refused<Unsupported>({{"architectures", {"LlamaForSequenceClassification"}}, {"model_type", "llama"}},
                                 {"LlamaForSequenceClassification"});
  expect_refused<Unsupported>(Convention::kGguf, {{"general.architecture", "mamba"}}, {"mamba", "gemma3", "qwen2"});
  expect_refused<FormatError>(Convention::kGguf, json::object(), {"general.architecture"});
  expect_refused<FormatError>(Convention::kHuggingFace, json::object(), {"architectures", "model_type"});
}

TEST(ReadConfig, WhatIsNotSupportedIsNamed) {
  expect_hf_refused<Unsupported>({{"rope_scaling", {{"rope_type", "proportional"}, {"factor", 4.0}}}},
                                 {"proportional", "linear", "llama3", "yarn", "longrope"});
  expect_hf_refused<Unsupported>({{"use_bidirectional_attention", true}}, {"use_bidirectional_attention", "causal"});
  expect_hf_refused<Unsupported>(
      {{"partial_rotary_factor", 0.5}, {"rope_scaling", {{"rope_type", "linear"}, {"factor", 4.0}}}},
      {"partial_rotary_factor is 0.5", "linear"});
  expect_hf_refused<Unsupported>({{"head_dim", 512}}, {"512", "256"});
  expect_hf_refused<Unsupported>({{"head_dim", 21}}, {"21", "even numbers"});
  expect_hf_refused<Unsupported>({{"hidden_act", "relu2"}}, {"hidden_act", "relu2", "silu"});
  json gguf = gguf_gemma();
  gguf["gemma3.rope.scaling.type"] = "proportional";
  expect_refused<Unsupported>(Convention::kGguf, gguf, {"proportional"});
  json hf = tiny_llama_config();
  hf.update({{"architectures", {"Qwen3ForCausalLM"}},
             {"use_sliding_window", true},
             {"sliding_window", 32},
             {"layer_types", {"full_attention", "linear_attention"}}});
  expect_refused<Unsupported>(Convention::kHuggingFace, hf, {"layer_types", "linear_attention"});
}

TEST(ReadConfig, NonsenseIsRefusedWithItsKey) {
  expect_hf_refused<FormatError>({{"num_attention_heads", 0}}, {"num_attention_heads is 0", "from 1 to"});
  expect_hf_refused<FormatError>({{"hidden_size", -64}}, {"hidden_size is -64"});
  expect_hf_refused<FormatError>({{"hidden_size", 1e30}}, {"hidden_size is 1e+30"});
  expect_hf_refused<FormatError>({{"hidden_size", 18446744073709551615U}}, {"hidden_size is 18446744073709551615"});
  expect_hf_refused<FormatError>({{"hidden_size", "64"}}, {"hidden_size is \"64\""});
  expect_hf_refused<FormatError>({{"num_hidden_layers", 1000000}}, {"num_hidden_layers is 1000000"});
  expect_hf_refused<FormatError>({{"num_key_value_heads", 3}},
                                 {"num_attention_heads is 4", "num_key_value_heads is 3"});
  expect_hf_refused<FormatError>({{"num_attention_heads", 6}}, {"hidden_size is 64", "6 heads"});
  expect_hf_refused<FormatError>({{"head_dim", 0}}, {"head_dim is 0"});
  expect_hf_refused<FormatError>({{"rms_norm_eps", -1.0}}, {"rms_norm_eps is -1"});
  expect_hf_refused<FormatError>({{"rope_theta", 0}}, {"rope_theta is 0"});
  expect_hf_refused<FormatError>({{"rope_scaling", {{"rope_type", "linear"}, {"factor", 0}}}},
                                 {"rope_scaling.factor is 0"});
  expect_hf_refused<FormatError>({{"partial_rotary_factor", 2}}, {"partial_rotary_factor"});

  json missing = tiny_llama_config();
  missing.erase("num_hidden_layers");
  expect_refused<FormatError>(Convention::kHuggingFace, missing, {"num_hidden_layers is missing"});
  json gguf = gguf_gemma();
  gguf["gemma3.attention.head_count"] = json::array({4, 4});
  expect_refused<FormatError>(Convention::kGguf, gguf, {"gemma3.attention.head_count is [4,4]"});
  gguf = gguf_gemma();
  gguf["gemma3.attention.sliding_window_pattern"] = {true};
  expect_refused<FormatError>(Convention::kGguf, gguf, {"sliding_window_pattern", "1 layers of 18"});
  gguf = gguf_gemma();
  gguf.erase("gemma3.vocab_size");
  expect_refused<FormatError>(Convention::kGguf, gguf, {"token_embd.weight"});
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
    expect_refused<FormatError>(Convention::kHuggingFace, changed, {std::string(key) + " is " + value.dump()});
    if (std::string_view(key) == "architectures") continue;
    changed[key] = nullptr;
    EXPECT_NO_THROW(read(Convention::kHuggingFace, changed)) << key;
  }
  const std::pair<const char*, json> inside[] = {
      {"rope_type", 3}, {"type", {"yarn"}}, {"truncate", 0}, {"full_attention", "default"}, {"sliding_attention", 1}};
  for (const auto& [key, value] : inside) {
    json changed = config;
    changed["rope_scaling"] = {{"factor", 4.0}, {key, value}};
    expect_refused<FormatError>(Convention::kHuggingFace, changed,
                                {"rope_scaling." + std::string(key) + " is " + value.dump()});
  }
  json gguf = gguf_gemma();
  gguf["gemma3.rope.scaling.type"] = 2;
  expect_refused<FormatError>(Convention::kGguf, gguf, {"gemma3.rope.scaling.type is 2; it must be a text"});
  config = {{"model_type", 5}};
  expect_refused<FormatError>(Convention::kHuggingFace, config, {"model_type is 5"});
}

/// As transformers 5.24's Ministral3Config and GptOssConfig.
TEST(ReadConfig, AFolderWithoutRotaryKeysHasItsClassesOwn) {
  json config = tiny_llama_config();
  config.update({{"architectures", {"Ministral3ForCausalLM"}},
                 {"model_type", "ministral3"},
                 {"head_dim", 16},
                 {"max_position_embeddings", 262144}});
  RotarySpec spec = read(Convention::kHuggingFace, config).rotary.at(0);
  EXPECT_THAT(spec.scaling, HasSubstr("yarn, factor 16 over 16384 tokens, attention factor 1"));
  EXPECT_FLOAT_EQ(spec.query_growth, 0.1F);
  EXPECT_EQ(spec.query_interval, 16384);
  EXPECT_NEAR(stretch(spec, 1e6, 7), 1.0 / 16, 1e-6);
  for (const char* key : {"rope_theta", "rope_scaling", "rope_parameters"}) {
    json changed = config;
    changed[key] = std::string_view(key) == "rope_theta" ? json(1e6) : json(nullptr);
    EXPECT_EQ(read(Convention::kHuggingFace, changed).rotary.at(0).scaling, "none") << key;
  }
  config["model_type"] = "mistral";  // the text model of a Mistral Small 3.1
  EXPECT_EQ(read(Convention::kHuggingFace, config).rotary.at(0).scaling, "none");

  config.update({{"architectures", {"GptOssForCausalLM"}},
                 {"model_type", "gpt_oss"},
                 {"max_position_embeddings", 131072},
                 {"num_local_experts", 4}});
  spec = read(Convention::kHuggingFace, config).rotary.at(0);
  EXPECT_THAT(spec.scaling, HasSubstr("yarn, factor 32 over 4096 tokens"));
  EXPECT_NEAR(stretch(spec, 150000, 7), 1.0 / 32, 1e-6);
}

/// Whose keys llama.cpp reads so.
TEST(ReadConfig, AGraniteOfAGgufFileMayHaveNoRotaryEmbedding) {
  json config = {{"general.architecture", "granite"},
                 {"granite.context_length", 128},
                 {"granite.embedding_length", 64},
                 {"granite.block_count", 2},
                 {"granite.feed_forward_length", 96},
                 {"granite.attention.head_count", 4},
                 {"granite.attention.layer_norm_rms_epsilon", 1e-5},
                 {"granite.logit_scale", 8.0},
                 {"granite.vocab_size", 50},
                 {"granite.rope.scaling.finetuned", true}};
  for (const LayerSpec& layer : read(Convention::kGguf, config).layers) EXPECT_EQ(layer.rotary, 0);
  config["granite.rope.scaling.finetuned"] = false;
  for (const LayerSpec& layer : read(Convention::kGguf, config).layers) EXPECT_EQ(layer.rotary, -1);
}

TEST(ReadConfig, ValuesOfAnotherWidthThanKeysAreRefused) {
  json config = gguf_gemma();
  config["gemma3.attention.value_length"] = 256;
  EXPECT_NO_THROW(read(Convention::kGguf, config));
  config["gemma3.attention.value_length"] = 128;
  expect_refused<Unsupported>(Convention::kGguf, config,
                              {"gemma3.attention.value_length is 128, and heads have 256 elements"});
}

TEST(ReadConfig, AnOlmoeWhoseValuesAreClampedIsRefusedInEitherConvention) {
  json config = {{"general.architecture", "olmoe"},
                 {"olmoe.context_length", 128},
                 {"olmoe.embedding_length", 64},
                 {"olmoe.block_count", 2},
                 {"olmoe.feed_forward_length", 96},
                 {"olmoe.attention.head_count", 4},
                 {"olmoe.attention.layer_norm_rms_epsilon", 1e-5},
                 {"olmoe.vocab_size", 50},
                 {"olmoe.expert_count", 8},
                 {"olmoe.expert_used_count", 2},
                 {"olmoe.attention.clamp_kqv", 0.0}};
  EXPECT_NO_THROW(read(Convention::kGguf, config));
  config["olmoe.attention.clamp_kqv"] = 8.0;
  expect_refused<Unsupported>(Convention::kGguf, config, {"olmoe.attention.clamp_kqv is 8.0"});
  expect_hf_refused<Unsupported>({{"architectures", {"OlmoeForCausalLM"}}, {"clip_qkv", 8.0}}, {"clip_qkv is 8.0"});
}

}  // namespace
}  // namespace caravel::model
