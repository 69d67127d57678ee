#include "model/read_experts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tiny_experts.h"

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Score = kernels::RouterRule::Score;

ModelConfig read(const json& changes = json::object()) {
  json config = tiny_experts_config();
  config.merge_patch(changes);  // a null takes a key away
  return read_config(MemorySource(Convention::kHuggingFace, config));
}

json gguf_qwen3_moe() {
  return {{"general.architecture", "qwen3moe"},    {"qwen3moe.context_length", 32768},
          {"qwen3moe.embedding_length", 64},       {"qwen3moe.block_count", 4},
          {"qwen3moe.feed_forward_length", 96},    {"qwen3moe.attention.head_count", 4},
          {"qwen3moe.attention.head_count_kv", 1}, {"qwen3moe.attention.layer_norm_rms_epsilon", 1e-6},
          {"qwen3moe.vocab_size", 1000},           {"qwen3moe.expert_count", 16},
          {"qwen3moe.expert_used_count", 4},       {"qwen3moe.expert_feed_forward_length", 32}};
}

ModelConfig read_gguf(const json& changes = json::object()) {
  json config = gguf_qwen3_moe();
  config.merge_patch(changes);
  return read_config(MemorySource(Convention::kGguf, config));
}

std::vector<bool> routed(const ModelConfig& config) {
  std::vector<bool> layers;
  for (const LayerSpec& layer : config.layers) layers.push_back(layer.routed);
  return layers;
}

template <typename E>
std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const E& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

TEST(ReadExperts, NumbersAreThoseOfTheFile) {
  const ExpertsSpec spec = read().experts;
  EXPECT_EQ(spec.rule.experts, 5);
  EXPECT_EQ(spec.rule.per_token, 2);
  EXPECT_EQ(spec.intermediate_size, 32);
  EXPECT_EQ(spec.shared_intermediate_size, 64);
  EXPECT_TRUE(spec.shared_gate);
  EXPECT_FALSE(spec.rule.renormalized);
  EXPECT_EQ(spec.rule.score, Score::kSoftmax);
  EXPECT_EQ(spec.rule.scale, 1);
  const ExpertsSpec gguf = read_gguf().experts;
  EXPECT_EQ(gguf.rule.experts, 16);
  EXPECT_EQ(gguf.rule.per_token, 4);
  EXPECT_EQ(gguf.intermediate_size, 32);
  EXPECT_EQ(gguf.shared_intermediate_size, 0);
  EXPECT_TRUE(gguf.rule.renormalized) << "as llama.cpp takes for granted";
  EXPECT_EQ(read_gguf({{"qwen3moe.expert_weights_scale", 2.5}}).experts.rule.scale, 2.5F);
  EXPECT_EQ(read_gguf({{"qwen3moe.expert_weights_scale", 0}}).experts.rule.scale, 1);
}

TEST(ReadExperts, TheirNumberHasTwoNames) {
  const json changes = {{"architectures", {"Qwen3MoeForCausalLM"}}, {"num_experts", nullptr}, {"norm_topk_prob", true}};
  json renamed = changes;
  renamed["num_local_experts"] = 7;
  EXPECT_EQ(read(renamed).experts.rule.experts, 7);
  EXPECT_TRUE(read(renamed).experts.rule.renormalized);
  EXPECT_EQ(read(changes).experts.rule.experts, 128);
}

TEST(ReadExperts, SomeLayersHaveNone) {
  const json four = {{"num_hidden_layers", 4}};
  const auto with = [&](json changes) {
    changes.update(four);
    return routed(read(changes));
  };
  EXPECT_THAT(with(json::object()), ElementsAre(false, true, true, true));
  EXPECT_THAT(with({{"mlp_only_layers", json::array()}, {"decoder_sparse_step", 2}}),
              ElementsAre(false, true, false, true));
  EXPECT_THAT(with({{"mlp_only_layers", {1}}, {"decoder_sparse_step", 2}}), ElementsAre(false, false, false, true));
  EXPECT_THAT(routed(read_gguf()), ElementsAre(true, true, true, true));
  // A model whose layers are all without is one without.
  EXPECT_EQ(read({{"num_experts", 0}}).experts.rule.experts, 0);
  EXPECT_EQ(read({{"mlp_only_layers", {0, 1}}}).experts.rule.experts, 0);
}

TEST(ReadExperts, AMixtralIsALlamaInAGgufFile) {
  json config = {{"general.architecture", "llama"}, {"llama.context_length", 128},
                 {"llama.embedding_length", 64},    {"llama.block_count", 2},
                 {"llama.feed_forward_length", 96}, {"llama.attention.head_count", 4},
                 {"llama.vocab_size", 50},          {"llama.attention.layer_norm_rms_epsilon", 1e-5},
                 {"llama.expert_count", 8},         {"llama.expert_used_count", 2}};
  const ModelConfig mixtral = read_config(MemorySource(Convention::kGguf, config));
  EXPECT_EQ(mixtral.experts.rule.experts, 8);
  EXPECT_EQ(mixtral.experts.rule.score, Score::kSoftmaxOfChosen);
  EXPECT_EQ(mixtral.experts.intermediate_size, 96);
  config["llama.expert_count"] = 0;
  EXPECT_FALSE(read_config(MemorySource(Convention::kGguf, config)).layers[0].routed);
}

json gguf_glm4_moe() {
  return {{"general.architecture", "glm4moe"},
          {"glm4moe.context_length", 128},
          {"glm4moe.embedding_length", 64},
          {"glm4moe.block_count", 4},
          {"glm4moe.feed_forward_length", 96},
          {"glm4moe.attention.head_count", 4},
          {"glm4moe.attention.layer_norm_rms_epsilon", 1e-5},
          {"glm4moe.vocab_size", 50},
          {"glm4moe.expert_count", 12},
          {"glm4moe.expert_used_count", 3},
          {"glm4moe.expert_feed_forward_length", 32},
          {"glm4moe.expert_shared_count", 2},
          {"glm4moe.expert_group_count", 4},
          {"glm4moe.expert_group_used_count", 2},
          {"glm4moe.expert_weights_scale", 2.5},
          {"glm4moe.expert_weights_norm", true},
          {"glm4moe.expert_gating_func", 2},
          {"glm4moe.leading_dense_block_count", 1},
          {"glm4moe.nextn_predict_layers", 1}};
}

ModelConfig read_glm4(const json& changes = json::object()) {
  json config = gguf_glm4_moe();
  config.merge_patch(changes);
  return read_config(MemorySource(Convention::kGguf, config));
}

TEST(ReadExperts, GroupsAndWhatEveryTokenHas) {
  const ModelConfig config = read_glm4();
  EXPECT_THAT(routed(config), ElementsAre(false, true, true)) << "the fourth guesses at the token after the next";
  EXPECT_EQ(config.unread_layers, 1);
  const ExpertsSpec& spec = config.experts;
  EXPECT_EQ(spec.rule.score, Score::kSigmoid);
  EXPECT_EQ(spec.rule.groups, 4);
  EXPECT_EQ(spec.rule.chosen_groups, 2);
  EXPECT_TRUE(spec.rule.renormalized);
  EXPECT_EQ(spec.rule.scale, 2.5F);
  EXPECT_EQ(spec.shared_intermediate_size, 64);
  EXPECT_FALSE(spec.shared_gate);
  // Where all groups are chosen there are none.
  EXPECT_EQ(read_glm4({{"glm4moe.expert_group_used_count", 4}}).experts.rule.groups, 1);
}

/// Of before llama.cpp wrote the width.
TEST(ReadExperts, SharedOnesAreAsWideAsTheirTensorWhereNoKeySaysIt) {
  MemorySource source(Convention::kGguf, {{"general.architecture", "qwen2moe"},
                                          {"qwen2moe.context_length", 128},
                                          {"qwen2moe.embedding_length", 64},
                                          {"qwen2moe.block_count", 2},
                                          {"qwen2moe.feed_forward_length", 96},
                                          {"qwen2moe.attention.head_count", 4},
                                          {"qwen2moe.attention.layer_norm_rms_epsilon", 1e-6},
                                          {"qwen2moe.vocab_size", 50},
                                          {"qwen2moe.expert_count", 8},
                                          {"qwen2moe.expert_used_count", 2},
                                          {"qwen2moe.expert_feed_forward_length", 32}});
  source.add_random("blk.0.ffn_gate_shexp.weight", {80, 64});
  EXPECT_EQ(read_config(source).experts.shared_intermediate_size, 80);
  EXPECT_TRUE(read_config(source).experts.shared_gate);
  for (const int said : {96, 0}) {
    source.config()["qwen2moe.expert_shared_feed_forward_length"] = said;
    EXPECT_EQ(read_config(source).experts.shared_intermediate_size, said) << "loading then tells the tensors";
  }
}

TEST(ReadExperts, GroupsThatCannotBeAreTold) {
  const auto told = [](const json& changes) { return refusal<FormatError>([&] { read_glm4(changes); }); };
  EXPECT_THAT(told({{"glm4moe.expert_group_count", 5}}),
              HasSubstr("of 12 experts (glm4moe.expert_count) in 5 groups (glm4moe.expert_group_count), 2 groups are "
                        "chosen (glm4moe.expert_group_used_count)"));
  EXPECT_THAT(told({{"glm4moe.expert_group_count", 12}}), HasSubstr("in 12 groups"));
  EXPECT_THAT(told({{"glm4moe.expert_used_count", 7}}), HasSubstr("7 experts of these"));
  EXPECT_THAT(told({{"glm4moe.expert_group_used_count", 5}}), HasSubstr("expert_group_used_count is 5"));
  EXPECT_THAT(told({{"glm4moe.nextn_predict_layers", 4}}), HasSubstr("nextn_predict_layers is 4"));
}

TEST(ReadExperts, NumbersThatCannotBeAreTold) {
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts_per_tok", 6}}); }),
              AllOf(HasSubstr("num_experts_per_tok is 6"), HasSubstr("from 1 to 5")));
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts_per_tok", 0}}); }), HasSubstr("num_experts_per_tok is 0"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts", 2}, {"num_experts_per_tok", nullptr}}); }),
              AllOf(HasSubstr("of 2 experts"), HasSubstr("4 experts of these")))
      << "four are chosen by default";
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts", 1025}}); }), HasSubstr("from 0 to 1024"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts", -1}}); }), HasSubstr("num_experts is -1"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"moe_intermediate_size", 0}}); }), HasSubstr("moe_intermediate_size"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"norm_topk_prob", 1}}); }), HasSubstr("true or false"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"mlp_only_layers", {2}}}); }), HasSubstr("from 0 to 1"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"mlp_only_layers", 1}}); }), HasSubstr("a list of layers"));
  EXPECT_THAT(refusal<FormatError>([] { read({{"decoder_sparse_step", 0}}); }), HasSubstr("decoder_sparse_step is 0"));
  EXPECT_THAT(refusal<FormatError>([] { read_gguf({{"qwen3moe.expert_weights_scale", -1}}); }),
              HasSubstr("qwen3moe.expert_weights_scale is -1"));
  EXPECT_THAT(refusal<FormatError>([] { read_gguf({{"qwen3moe.expert_used_count", nullptr}}); }),
              HasSubstr("qwen3moe.expert_used_count is missing"));
}

TEST(ReadExperts, TwoNamesOfOneThingMustSayTheSame) {
  EXPECT_EQ(read({{"num_experts", 5}, {"num_local_experts", 5}}).experts.rule.experts, 5);
  EXPECT_THAT(refusal<FormatError>([] { read({{"num_experts", 5}, {"num_local_experts", 7}}); }),
              HasSubstr("num_experts is 5 and num_local_experts is 7, which are two names of one thing"));
}

TEST(ReadExperts, AQwen2WithoutBiasesIsRefused) {
  EXPECT_NO_THROW(read({{"qkv_bias", true}}));
  EXPECT_THAT(refusal<Unsupported>([] { read({{"qkv_bias", false}}); }), HasSubstr("qkv_bias is false"));
}

/// What no class reads, and every published model has so.
TEST(ReadExperts, ARouterThatAMiniMaxDoesNotHaveIsRefused) {
  const json published = {{"architectures", {"MiniMaxM2ForCausalLM"}},
                          {"num_experts", nullptr},
                          {"num_local_experts", 5},
                          {"mlp_only_layers", nullptr},
                          {"use_routing_bias", true},
                          {"use_qk_norm", true},
                          {"qk_norm_type", "per_layer"},
                          {"scoring_func", "sigmoid"},
                          {"shared_intermediate_size", 0}};
  EXPECT_EQ(read(published).experts.rule.score, Score::kSigmoid);
  const json lies = {{"use_routing_bias", false},
                     {"use_qk_norm", false},
                     {"qk_norm_type", "per_head"},
                     {"scoring_func", "softmax"},
                     {"shared_intermediate_size", 64}};
  for (const auto& [key, value] : lies.items()) {
    json changes = published;
    changes[key] = value;
    EXPECT_THAT(refusal<Unsupported>([&] { read(changes); }), HasSubstr(key + " is "));
  }
}

TEST(ReadExperts, ARouterThatScoresOtherwiseIsRefused) {
  EXPECT_NO_THROW(read_gguf({{"qwen3moe.expert_gating_func", 1}}));
  EXPECT_THAT(refusal<Unsupported>([] { read_gguf({{"qwen3moe.expert_gating_func", 2}}); }),
              AllOf(HasSubstr("qwen3moe.expert_gating_func is 2"), HasSubstr("softmax (1)")));
}

}  // namespace
}  // namespace caravel::model
