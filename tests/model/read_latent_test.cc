#include "model/latent/read_latent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "memory_source.h"

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using GroupScore = kernels::RouterRule::GroupScore;
using Score = kernels::RouterRule::Score;

/// What DeepSeek-V2-Lite says of itself.
json v2_lite() {
  return {{"architectures", {"DeepseekV2ForCausalLM"}},
          {"hidden_size", 2048},
          {"intermediate_size", 10944},
          {"num_hidden_layers", 27},
          {"num_attention_heads", 16},
          {"num_key_value_heads", 16},
          {"vocab_size", 102400},
          {"max_position_embeddings", 163840},
          {"rms_norm_eps", 1e-6},
          {"first_k_dense_replace", 1},
          {"kv_lora_rank", 512},
          {"q_lora_rank", nullptr},
          {"qk_nope_head_dim", 128},
          {"qk_rope_head_dim", 64},
          {"v_head_dim", 128},
          {"moe_intermediate_size", 1408},
          {"n_routed_experts", 64},
          {"n_shared_experts", 2},
          {"num_experts_per_tok", 6},
          {"n_group", 1},
          {"topk_group", 1},
          {"topk_method", "greedy"},
          {"norm_topk_prob", false},
          {"routed_scaling_factor", 1.0},
          {"rope_theta", 10000},
          {"rope_scaling",
           {{"type", "yarn"},
            {"factor", 40},
            {"beta_fast", 32},
            {"beta_slow", 1},
            {"mscale", 0.707},
            {"mscale_all_dim", 0.707},
            {"original_max_position_embeddings", 4096}}}};
}

/// The same as llama.cpp's converter writes it.
json v2_lite_gguf() {
  const std::string a = "deepseek2.";
  return {{"general.architecture", "deepseek2"},
          {a + "context_length", 163840},
          {a + "embedding_length", 2048},
          {a + "block_count", 27},
          {a + "feed_forward_length", 10944},
          {a + "attention.head_count", 16},
          {a + "attention.head_count_kv", 1},
          {a + "attention.layer_norm_rms_epsilon", 1e-6},
          {a + "vocab_size", 102400},
          {a + "attention.kv_lora_rank", 512},
          {a + "attention.key_length", 576},
          {a + "attention.value_length", 512},
          {a + "attention.key_length_mla", 192},
          {a + "attention.value_length_mla", 128},
          {a + "rope.dimension_count", 64},
          {a + "rope.scaling.type", "yarn"},
          {a + "rope.scaling.factor", 40.0},
          {a + "rope.scaling.original_context_length", 4096},
          {a + "rope.scaling.yarn_log_multiplier", 0.0707},
          {a + "expert_count", 64},
          {a + "expert_used_count", 6},
          {a + "expert_feed_forward_length", 1408},
          {a + "expert_shared_count", 2},
          {a + "expert_gating_func", 1},
          {a + "leading_dense_block_count", 1}};
}

ModelConfig read_deepseek(json config, const json& changes = json::object()) {
  config.merge_patch(changes);  // a null takes a key away
  const bool gguf = config.contains("general.architecture");
  return read_config(MemorySource(gguf ? Convention::kGguf : Convention::kHuggingFace, config));
}

template <typename E>
std::string latent_refusal(const json& config, const json& changes) {
  try {
    read_deepseek(config, changes);
  } catch (const E& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

TEST(ReadLatent, NumbersAreThoseOfTheFile) {
  json folder = v2_lite();
  for (const json& file : {folder, v2_lite_gguf()}) {
    const ModelConfig config =
        read_config(MemorySource(file.contains("architectures") ? Convention::kHuggingFace : Convention::kGguf, file));
    SCOPED_TRACE(config.architecture);
    EXPECT_EQ(config.latent.latent_dim, 512);
    EXPECT_EQ(config.latent.query_latent_dim, 0);
    EXPECT_EQ(config.latent.nope_dim, 128);
    EXPECT_EQ(config.latent.rotary_dim, 64);
    EXPECT_EQ(config.latent.value_dim, 128);
    EXPECT_EQ(config.num_kv_heads, 1);
    EXPECT_EQ(config.head_dim, 576);
    EXPECT_EQ(config.rotary[0].dim, 64);
    EXPECT_EQ(config.rotary_style, kernels::RotaryStyle::kInterleaved);
    // mscale and mscale_all_dim are the same: rotated elements are left alone, and scores have the square of both.
    EXPECT_FLOAT_EQ(config.rotary[0].magnitude, 1);
    const double mscale = 1 + 0.1 * 0.707 * std::log(40.0);
    EXPECT_NEAR(config.attention_scale, mscale * mscale / std::sqrt(192.0), 1e-7);
    EXPECT_FALSE(config.layers[0].routed);
    EXPECT_TRUE(config.layers[1].routed);
    EXPECT_EQ(config.experts.rule.score, Score::kSoftmax);
    EXPECT_EQ(config.experts.shared_intermediate_size, 2816);
  }
}

TEST(ReadLatent, RotatedElementsHaveWhatScoresHaveNot) {
  const ModelConfig config = read_deepseek(v2_lite(), {{"rope_scaling", {{"mscale", 1.0}, {"mscale_all_dim", 0.5}}}});
  const double scaled = 1 + 0.1 * std::log(40.0);
  const double all = 1 + 0.05 * std::log(40.0);
  EXPECT_NEAR(config.rotary[0].magnitude, scaled / all, 1e-6);
  EXPECT_NEAR(config.attention_scale, all * all / std::sqrt(192.0), 1e-7);
  EXPECT_NEAR(read_deepseek(v2_lite(), {{"rope_scaling", nullptr}}).attention_scale, 1 / std::sqrt(192.0), 1e-7);
  json given = v2_lite();
  const ModelConfig plain = read_config(MemorySource(Convention::kHuggingFace, given), "none");
  EXPECT_NEAR(plain.attention_scale, 1 / std::sqrt(192.0), 1e-7);
}

// transformers 5.24: DeepseekV2RMSNorm(q_lora_rank) has its class' epsilon; llama.cpp has one for all norms.
TEST(ReadLatent, NormsOfLatentsHaveTheEpsilonOfTheirClass) {
  EXPECT_FLOAT_EQ(read_deepseek(v2_lite(), {{"rms_norm_eps", 1e-3}}).latent.norm_epsilon, 1e-6F);
  EXPECT_FLOAT_EQ(
      read_deepseek(v2_lite_gguf(), {{"deepseek2.attention.layer_norm_rms_epsilon", 1e-3}}).latent.norm_epsilon, 1e-3F);
}

TEST(ReadLatent, QueriesMayHaveALatentOfTheirOwn) {
  EXPECT_EQ(read_deepseek(v2_lite(), {{"q_lora_rank", 1536}}).latent.query_latent_dim, 1536);
  EXPECT_EQ(read_deepseek(v2_lite_gguf(), {{"deepseek2.attention.q_lora_rank", 24}}).latent.query_latent_dim, 24);
}

// Before keys_up and values_up were written apart, the lengths were a head's own.
TEST(ReadLatent, OlderGgufFilesHaveTheLengthsOfHeads) {
  const json older = {{"deepseek2.attention.key_length", 192},
                      {"deepseek2.attention.value_length", 128},
                      {"deepseek2.attention.key_length_mla", nullptr},
                      {"deepseek2.attention.value_length_mla", nullptr},
                      {"deepseek2.attention.head_count_kv", 16}};
  const ModelConfig config = read_deepseek(v2_lite_gguf(), older);
  EXPECT_EQ(config.latent.nope_dim, 128);
  EXPECT_EQ(config.latent.value_dim, 128);
  EXPECT_EQ(config.head_dim, 576);
}

TEST(ReadLatent, AGgufFileSaysWhetherItIsAV3) {
  const json groups = {{"deepseek2.expert_group_count", 8}, {"deepseek2.expert_group_used_count", 4}};
  const auto rule_of = [&](const json& function) {
    json changes = groups;
    changes["deepseek2.expert_gating_func"] = function;
    return read_deepseek(v2_lite_gguf(), changes).experts.rule;
  };
  EXPECT_EQ(rule_of(2).score, Score::kSigmoid);
  EXPECT_EQ(rule_of(2).group_score, GroupScore::kSumOfTwoLargest);
  for (const json& function : {json(1), json(nullptr)}) {
    EXPECT_EQ(rule_of(function).score, Score::kSoftmax);
    EXPECT_EQ(rule_of(function).group_score, GroupScore::kLargest);
  }
  // A V3 that transformers wrote says nothing, and a file that is converted from it neither.
  json silent = v2_lite_gguf();
  silent.erase("deepseek2.expert_gating_func");
  MemorySource source(Convention::kGguf, silent);
  source.add_random("blk.1.exp_probs_b.bias", {64});
  EXPECT_EQ(read_config(source).experts.rule.score, Score::kSigmoid);
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite_gguf(), {{"deepseek2.expert_gating_func", 3}}),
              HasSubstr("expert_gating_func is 3"));
}

TEST(ReadLatent, HeadsOfKeysAreAsManyAsOfQueries) {
  json config = v2_lite();
  config["num_key_value_heads"] = config["num_attention_heads"];
  EXPECT_NO_THROW(read_deepseek(config, json::object()));
  EXPECT_THAT(latent_refusal<FormatError>(config, {{"num_key_value_heads", 2}}),
              HasSubstr("num_key_value_heads is 2 and num_attention_heads is"));
}

/// Its class reads none of these (transformers 5.24).
TEST(ReadLatent, AV3ThatSaysToScoreOtherwiseIsRefused) {
  const json v3 = {{"architectures", {"DeepseekV3ForCausalLM"}}};
  for (const auto& [key, value] :
       {std::pair<const char*, json>("scoring_func", "softmax"), {"topk_method", "greedy"}, {"moe_layer_freq", 2}}) {
    json changes = v3;
    changes[key] = value;
    EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), changes), HasSubstr(std::string(key) + " is " + value.dump()));
  }
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"scoring_func", "sigmoid"}}), HasSubstr("scoring_func"));
}

/// A null is there, and in Python false; a router of no groups divides by their number (transformers 5.24).
TEST(ReadLatent, NullsAreNotTheClassesDefaults) {
  json v3 = v2_lite();
  v3.update({{"architectures", {"DeepseekV3ForCausalLM"}}, {"topk_method", "noaux_tc"}, {"norm_topk_prob", nullptr}});
  EXPECT_FALSE(read_deepseek(v3).experts.rule.renormalized);
  v3.erase("norm_topk_prob");
  EXPECT_TRUE(read_deepseek(v3).experts.rule.renormalized);
  for (const char* key : {"n_group", "topk_group"}) {
    for (const json& value : {json(0), json(nullptr)}) {
      json changed = v3;
      changed[key] = value;
      EXPECT_THAT(latent_refusal<FormatError>(changed, json::object()),
                  HasSubstr(std::string(key) + " is " + value.dump()));
    }
  }
  v3["rope_interleave"] = nullptr;
  EXPECT_THAT(latent_refusal<Unsupported>(v3, json::object()), HasSubstr("rope_interleave is null"));
}

TEST(ReadLatent, GreedyRoutersHaveNoGroups) {
  const json groups = {{"n_group", 8}, {"topk_group", 3}};
  const auto groups_of = [&](const json& method) {
    json changes = groups;
    changes["topk_method"] = method;
    return read_deepseek(v2_lite(), changes).experts.rule.groups;
  };
  EXPECT_EQ(groups_of("greedy"), 1);
  EXPECT_EQ(groups_of(nullptr), 1);
  EXPECT_EQ(groups_of("group_limited_greedy"), 8);
  // A V3 that does not say how many groups are chosen has four of them.
  EXPECT_THAT(latent_refusal<FormatError>(v2_lite(), {{"architectures", {"DeepseekV3ForCausalLM"}},
                                                      {"topk_method", nullptr},
                                                      {"n_group", 2},
                                                      {"topk_group", nullptr}}),
              HasSubstr("in 2 groups (n_group), 4 groups are chosen (topk_group)"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"topk_method", "noaux_tc"}}),
              AllOf(HasSubstr("topk_method"), HasSubstr("noaux_tc")));
}

TEST(ReadLatent, LayersOfAV3BehindTheLastArePassedOver) {
  const json v3 = {{"architectures", {"DeepseekV3ForCausalLM"}}, {"topk_method", "noaux_tc"}};
  json published = v3;
  published["num_nextn_predict_layers"] = 1;
  EXPECT_EQ(read_deepseek(v2_lite(), published).unread_layers, 1);
  EXPECT_EQ(read_deepseek(v2_lite(), v3).unread_layers, 0);
  EXPECT_EQ(read_deepseek(v2_lite(), v3).experts.rule.score, Score::kSigmoid);
}

TEST(ReadLatent, WhatMakesNoSenseIsRefusedWithTheNumbers) {
  EXPECT_THAT(latent_refusal<FormatError>(v2_lite_gguf(), {{"deepseek2.attention.key_length_mla", 64}}),
              AllOf(HasSubstr("key_length_mla is 64"), HasSubstr("64 are rotated")));
  for (const auto& [key, wrong] :
       {std::pair("key_length", 577), std::pair("value_length", 128), std::pair("head_count_kv", 16)}) {
    EXPECT_THAT(latent_refusal<FormatError>(v2_lite_gguf(), {{std::string("deepseek2.attention.") + key, wrong}}),
                HasSubstr(fmt::format("attention.{} is {}; of a latent of 512 elements", key, wrong)));
  }
  EXPECT_THAT(latent_refusal<FormatError>(v2_lite_gguf(), {{"deepseek2.attention.kv_lora_rank", nullptr}}),
              HasSubstr("kv_lora_rank is missing"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite_gguf(), {{"deepseek2.attention.temperature_scale", 0.1}}),
              HasSubstr("temperature_scale"));
  EXPECT_THAT(latent_refusal<FormatError>(v2_lite(), {{"kv_lora_rank", 0}}), HasSubstr("kv_lora_rank is 0"));
  EXPECT_THAT(latent_refusal<FormatError>(v2_lite(), {{"v_head_dim", -1}}), HasSubstr("v_head_dim is -1"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"kv_lora_rank", 1024}}),
              AllOf(HasSubstr("1024"), HasSubstr("64"), HasSubstr("576")));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"qk_rope_head_dim", 63}}), HasSubstr("63"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"attention_bias", true}}), HasSubstr("attention_bias"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(), {{"norm_topk_prob", true}}), HasSubstr("norm_topk_prob"));
  EXPECT_THAT(latent_refusal<Unsupported>(v2_lite(),
                                          {{"architectures", {"DeepseekV3ForCausalLM"}}, {"rope_interleave", false}}),
              HasSubstr("rope_interleave"));
}

}  // namespace
}  // namespace caravel::model
