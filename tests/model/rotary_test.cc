#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "read_configs.h"

// What is read of rotary embeddings and their scaling.

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ReadRotary, RotaryParametersInAllSpellings) {
  // {old keys, new keys}
  const json linear[] = {{{"rope_theta", 500.0}, {"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}},
                         {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 500.0}}}}};
  for (const json& changes : linear) {
    const RotarySpec spec = folder_config(changes).rotary.at(0);
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(stretch(spec, 500, i), 0.25, 1e-6) << changes;
  }
}

// transformers 5.24 takes the flat ones, and a file that has both means something that it does not get.
TEST(ReadRotary, FlatParametersBesideThoseOfLayersTypesAreRefusedWhereThereIsOneRotary) {
  const json nested = {{"rope_type", "default"}, {"rope_theta", 500.0}};
  const json both = {{"full_attention", nested}, {"rope_theta", 10000.0}};
  expect_folder_refused<FormatError>({{"rope_parameters", both}},
                                     {"rope_parameters has rope_theta and full_attention", "llama"});
  EXPECT_NO_THROW(folder_config({{"rope_parameters", {{"full_attention", nested}}}}));
}

TEST(ReadRotary, Llama3ScalingStretchesLongWavesAlone) {
  const RotarySpec spec = folder_config({{"rope_theta", 10000.0},
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

TEST(ReadRotary, AScalingWithoutWhatItsTypeNeedsIsRefused) {
  const auto scaled = [](const char* type, const json& more) {
    json scaling = {{"rope_type", type}};
    scaling.update(more);
    return json{{"rope_scaling", scaling}};
  };
  expect_folder_refused<FormatError>(scaled("linear", json::object()),
                                     {"rope_scaling.factor is missing", "\"linear\""});
  expect_folder_refused<FormatError>(scaled("linear", {{"factor", nullptr}}), {"rope_scaling.factor is missing"});
  const json llama3 = {{"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
  EXPECT_NO_THROW(folder_config(scaled("llama3", llama3)));
  for (const auto& [key, value] : llama3.items()) {
    json without = llama3;
    without.erase(key);
    expect_folder_refused<FormatError>(scaled("llama3", without),
                                       {"rope_scaling." + key + " is missing", "\"llama3\""});
  }
}

TEST(ReadRotary, WhatNobodyReadsOfAScalingIsSaid) {
  const auto said = [](const json& changes) {
    std::vector<std::string> names;
    for (const Decision& decision : folder_config(changes).decisions) {
      if (decision.value.starts_with("ignored")) names.push_back(decision.what + " " + decision.value);
    }
    return names;
  };
  const json linear = {{"rope_type", "linear"}, {"factor", 2.0}};
  EXPECT_THAT(said({{"rope_scaling", linear}}), testing::IsEmpty());
  json more = linear;
  more["beta_quick"] = 16;
  EXPECT_THAT(said({{"rope_scaling", more}}), testing::ElementsAre("rope_scaling.beta_quick ignored: 16"));
  EXPECT_THAT(said({{"rope_scaling", linear}, {"rope_parameters", more}}), testing::IsEmpty())
      << "the first one counts";
  EXPECT_THAT(said({{"architectures", {"Olmo3ForCausalLM"}},
                    {"rope_parameters", {{"full_attention", more}, {"sliding_attention", {{"rope_theta", 900.0}}}}}}),
              testing::ElementsAre("rope_parameters.full_attention.beta_quick ignored: 16"));
}

/// The numbers are what transformers 5.24's ROPE_INIT_FUNCTIONS give for a head of 16 and a base of 10,000.
TEST(ReadRotary, YarnIsTransformers) {
  const std::vector<float> last = {0.007905695F, 0.0025F, 0.000790569F, 0.00025F, 7.9057e-05F};
  const auto expect_yarn = [&](json scaling, json beside, float second, float third, float magnitude) {
    scaling["rope_type"] = "yarn";
    beside["rope_scaling"] = scaling;
    const RotarySpec spec = folder_config(beside).rotary.at(0);
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

TEST(ReadRotary, YarnReachesFurtherThanTheOriginalContext) {
  const json scaling = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}};
  EXPECT_EQ(folder_config({{"rope_scaling", scaling}}).max_position, 512);
  EXPECT_EQ(folder_config({{"rope_scaling", scaling}, {"max_position_embeddings", 600}}).max_position, 600);
}

TEST(ReadRotary, YarnFromGguf) {
  json config = gguf_gemma();
  config.update({{"gemma3.rope.scaling.type", "yarn"},
                 {"gemma3.rope.scaling.factor", 4.0},
                 {"gemma3.rope.scaling.original_context_length", 8192}});
  const ModelConfig yarn = read_as(Convention::kGguf, config);
  EXPECT_NEAR(yarn.rotary.at(0).magnitude, 1.138629436, 1e-6);
  EXPECT_EQ(yarn.max_position, 32768);
  EXPECT_NEAR(stretch(yarn.rotary.at(0), 1e6, 0), 1, 1e-6);
  EXPECT_NEAR(stretch(yarn.rotary.at(0), 1e6, 120), 0.25, 1e-5);
  EXPECT_NEAR(stretch(yarn.rotary.at(1), 1e4, 100), 1, 1e-5) << "layers with a window are as they were";
  config["gemma3.rope.scaling.yarn_log_multiplier"] = 0.5;  // as an mscale_all_dim of a folder, above
  EXPECT_NEAR(read_as(Convention::kGguf, config).rotary.at(0).magnitude, 1.064821625, 1e-6);
  config["gemma3.rope.scaling.yarn_log_multiplier"] = 1.0;
  EXPECT_NEAR(read_as(Convention::kGguf, config).rotary.at(0).magnitude, 1, 1e-6);
  config["gemma3.rope.scaling.yarn_log_multiplier"] = -1.0;
  expect_config_refused<FormatError>(Convention::kGguf, config, {"yarn_log_multiplier is -1.0"});
}

TEST(ReadRotary, QueriesGrowWhateverScalingIsGiven) {
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
  EXPECT_EQ(read_as(Convention::kHuggingFace, config).rotary.at(0).query_growth, 0);
  config["architectures"] = {"Ministral3ForCausalLM"};
  config["rope_parameters"]["llama_4_scaling_beta"] = -0.5;
  expect_config_refused<FormatError>(Convention::kHuggingFace, config,
                                     {"rope_parameters.llama_4_scaling_beta is -0.5"});
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

TEST(ReadRotary, LongropeHasFrequenciesForShortAndLongSequences) {
  const auto check = [](const json& changes, float magnitude) {
    const RotarySpec spec = folder_config(changes).rotary.at(0);
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

TEST(ReadRotary, LongropeNeedsAFactorForEachFrequency) {
  json changes = phi_longrope();
  changes["rope_scaling"]["long_factor"] = {1.0, 2.0, 3.0};
  expect_folder_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
  changes["rope_scaling"].erase("long_factor");
  expect_folder_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
  changes["rope_scaling"]["long_factor"] = {1.0, 2.0, 0.0, 3.0};
  expect_folder_refused<FormatError>(changes, {"rope_scaling.long_factor[2]", "0.0"});
  changes["rope_scaling"]["long_factor"] = "long";
  expect_folder_refused<FormatError>(changes, {"rope_scaling.long_factor", "4 numbers"});
}

TEST(ReadRotary, LongropeFromGguf) {
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

TEST(ReadRotary, DynamicScalingIsNoneUpToTheModelsContext) {
  const ModelConfig config = folder_config({{"rope_scaling", {{"type", "dynamic"}, {"factor", 4.0}}}});
  EXPECT_EQ(config.rotary.at(0).inverse_freq, folder_config(json::object()).rotary.at(0).inverse_freq);
  EXPECT_EQ(config.max_position, 128);
  EXPECT_THAT(config.rotary.at(0).scaling, AllOf(HasSubstr("dynamic"), HasSubstr("128 tokens")));
}

TEST(ReadRotary, AGivenScalingTakesThePlaceOfTheFiles) {
  const json yarn = json::parse(kGivenYarn);
  const ModelConfig own = folder_config({{"rope_scaling", yarn}, {"rope_theta", 500.0}});
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

TEST(ReadRotary, AGivenScalingSaysHowFarItReaches) {
  const MemorySource source(Convention::kHuggingFace, tiny_llama_config());  // 128 tokens
  const auto reach = [&](const char* scaling) { return read_config(source, scaling).max_position; };
  EXPECT_EQ(reach(""), 128);
  EXPECT_EQ(reach("none"), 128);
  EXPECT_EQ(reach(R"({"type":"linear","factor":4})"), 512);
  EXPECT_EQ(reach(R"({"rope_type":"llama3","factor":8,"original_max_position_embeddings":100})"), 800);
  EXPECT_EQ(reach(R"({"rope_type":"yarn","factor":2})"), 256);
  EXPECT_EQ(reach(R"({"rope_type":"dynamic","factor":2})"), 128);
}

TEST(ReadRotary, AGivenScalingForGguf) {
  const ModelConfig own = read_as(Convention::kGguf, gguf_gemma());
  json config = gguf_gemma();
  config.update({{"gemma3.rope.scaling.type", "longrope"}, {"gemma3.rope.scaling.factor", 8.0}});
  MemorySource source(Convention::kGguf, config);
  source.add("rope_freqs.weight", {128}, std::vector<float>(128, 2));
  EXPECT_EQ(read_config(source, "none").rotary.at(0).inverse_freq, own.rotary.at(0).inverse_freq);

  config.update({{"gemma3.rope.scaling.type", "yarn"},
                 {"gemma3.rope.scaling.factor", 4.0},
                 {"gemma3.rope.scaling.original_context_length", 32}});
  const ModelConfig yarn = read_as(Convention::kGguf, config);
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

TEST(ReadRotary, AGivenScalingThatMakesNoSenseIsRefused) {
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

// llama.cpp's converter writes OLMo 2 and 3 alike: the latter's windowed layers have the base of the others without
// their scaling.
TEST(ReadRotary, WindowedLayersOfOlmoInGgufAreNotScaled) {
  json config = {{"general.architecture", "olmo2"},
                 {"olmo2.context_length", 65536},
                 {"olmo2.embedding_length", 64},
                 {"olmo2.block_count", 8},
                 {"olmo2.feed_forward_length", 96},
                 {"olmo2.attention.head_count", 4},
                 {"olmo2.attention.layer_norm_rms_epsilon", 1e-6},
                 {"olmo2.rope.freq_base", 5e5},
                 {"olmo2.vocab_size", 50}};
  const ModelConfig whole = read_as(Convention::kGguf, config);
  EXPECT_TRUE(whole.qk_norm_rows);
  EXPECT_EQ(whole.rotary.size(), 1U);
  config.update({{"olmo2.attention.sliding_window", 16},
                 {"olmo2.rope.scaling.type", "yarn"},
                 {"olmo2.rope.scaling.factor", 8.0},
                 {"olmo2.rope.scaling.original_context_length", 8192}});
  const ModelConfig windowed = read_as(Convention::kGguf, config);
  ASSERT_EQ(windowed.rotary.size(), 2U);
  EXPECT_NEAR(stretch(windowed.rotary[0], 5e5, 7), 0.125, 1e-6);
  EXPECT_NEAR(stretch(windowed.rotary[1], 5e5, 7), 1, 1e-6);
  EXPECT_EQ(windowed.rotary[1].magnitude, 1);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(windowed.layers[i].window, i % 4 == 3 ? 0 : 16) << i;
    EXPECT_EQ(windowed.layers[i].rotary, i % 4 == 3 ? 0 : 1) << i;
  }
}

TEST(ReadRotary, Olmo3sWindowedLayersAreNotScaled) {
  const json base = {{"architectures", {"Olmo3ForCausalLM"}}, {"num_hidden_layers", 8}, {"rope_theta", 5e5}};
  const auto read_olmo = [&](const json& changes) {
    json config = base;
    config.update(changes);
    return folder_config(config);
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

/// As transformers 5.24's Ministral3Config and GptOssConfig.
TEST(ReadRotary, AFolderWithoutRotaryKeysHasItsClassesOwn) {
  json config = tiny_llama_config();
  config.update({{"architectures", {"Ministral3ForCausalLM"}},
                 {"model_type", "ministral3"},
                 {"head_dim", 16},
                 {"max_position_embeddings", 262144}});
  RotarySpec spec = read_as(Convention::kHuggingFace, config).rotary.at(0);
  EXPECT_THAT(spec.scaling, HasSubstr("yarn, factor 16 over 16384 tokens, attention factor 1"));
  EXPECT_FLOAT_EQ(spec.query_growth, 0.1F);
  EXPECT_EQ(spec.query_interval, 16384);
  EXPECT_NEAR(stretch(spec, 1e6, 7), 1.0 / 16, 1e-6);
  for (const char* key : {"rope_theta", "rope_scaling", "rope_parameters"}) {
    json changed = config;
    changed[key] = std::string_view(key) == "rope_theta" ? json(1e6) : json(nullptr);
    EXPECT_EQ(read_as(Convention::kHuggingFace, changed).rotary.at(0).scaling, "none") << key;
  }
  config["model_type"] = "mistral";  // the text model of a Mistral Small 3.1
  EXPECT_EQ(read_as(Convention::kHuggingFace, config).rotary.at(0).scaling, "none");

  config.update({{"architectures", {"GptOssForCausalLM"}},
                 {"model_type", "gpt_oss"},
                 {"max_position_embeddings", 131072},
                 {"num_local_experts", 4}});
  spec = read_as(Convention::kHuggingFace, config).rotary.at(0);
  EXPECT_THAT(spec.scaling, HasSubstr("yarn, factor 32 over 4096 tokens"));
  EXPECT_NEAR(stretch(spec, 150000, 7), 1.0 / 32, 1e-6);
}

}  // namespace
}  // namespace caravel::model
