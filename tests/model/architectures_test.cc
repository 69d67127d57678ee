#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "read_configs.h"

// What the tables of model/arch say that no other model has.

namespace caravel::model {
namespace {

using format::Convention;
using nlohmann::json;

TEST(Architectures, MistralsWindowMayBeNull) {
  json config = tiny_llama_config();
  config["architectures"] = {"MistralForCausalLM"};
  config["sliding_window"] = 32;
  EXPECT_EQ(read_as(Convention::kHuggingFace, config).layers.at(1).window, 32);
  config["sliding_window"] = nullptr;
  EXPECT_EQ(read_as(Convention::kHuggingFace, config).layers.at(1).window, 0);
  config.erase("sliding_window");
  EXPECT_EQ(read_as(Convention::kHuggingFace, config).layers.at(1).window, 4096) << "as transformers reads it";
}

TEST(Architectures, Qwen2HasAWindowOnlyWhereItSaysSo) {
  const json base = {{"architectures", {"Qwen2ForCausalLM"}}, {"sliding_window", 32}, {"max_window_layers", 1}};
  EXPECT_EQ(folder_config(base).layers.at(1).window, 0);
  json on = base;
  on["use_sliding_window"] = true;
  EXPECT_EQ(folder_config(on).layers.at(0).window, 0);
  EXPECT_EQ(folder_config(on).layers.at(1).window, 32);
  on["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_EQ(folder_config(on).layers.at(0).window, 32);
  EXPECT_EQ(folder_config(on).layers.at(1).window, 0);
}

TEST(Architectures, GranitesMultipliers) {
  // The published 2B's.
  const json multipliers = {{"attention_multiplier", 0.015625},
                            {"embedding_multiplier", 12.0},
                            {"residual_multiplier", 0.22},
                            {"logits_scaling", 8.0}};
  json changes = {{"architectures", {"GraniteForCausalLM"}}, {"rms_norm_eps", 1e-5}};
  const ModelConfig plain = folder_config(changes);
  EXPECT_FLOAT_EQ(plain.attention_scale, 1) << "the class's default, whatever head_dim";
  EXPECT_FLOAT_EQ(plain.embedding_scale, 1);
  EXPECT_FLOAT_EQ(plain.logits_scale, 1);
  EXPECT_FLOAT_EQ(plain.norm_epsilon, 1e-5F);
  changes.update(multipliers);
  const ModelConfig config = folder_config(changes);
  EXPECT_FLOAT_EQ(config.attention_scale, 0.015625F);
  EXPECT_FLOAT_EQ(config.logits_scale, 0.125F);
  // The residual stream is kept divided by its multiplier.
  EXPECT_FLOAT_EQ(config.embedding_scale, 12.0F / 0.22F);
  EXPECT_FLOAT_EQ(config.norm_epsilon, 1e-5F / (0.22F * 0.22F));
  for (const char* key : {"attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling"}) {
    json wrong = changes;
    for (const json& value : {json(0), json(-1.0), json("1")}) {
      wrong[key] = value;
      expect_folder_refused<FormatError>(wrong, {std::string(key) + " is " + value.dump()});
    }
  }
}

TEST(Architectures, Glm4RotatesHalfOfAHead) {
  for (const char* architecture : {"GlmForCausalLM", "Glm4ForCausalLM"}) {
    const ModelConfig config = folder_config({{"architectures", {architecture}}, {"head_dim", 16}});
    EXPECT_EQ(config.rotary.at(0).dim, 8) << "what the class has where the folder does not say it";
    EXPECT_EQ(config.rotary_style, kernels::RotaryStyle::kInterleaved);
    EXPECT_EQ(folder_config({{"architectures", {architecture}}, {"head_dim", 16}, {"partial_rotary_factor", 0.25}})
                  .rotary.at(0)
                  .dim,
              4);
  }
}

TEST(Architectures, SmolLm3RotatesTheLayersThatItsListSays) {
  const auto layers = [](const json& changes) {
    json config = {{"architectures", {"SmolLM3ForCausalLM"}}, {"num_hidden_layers", 5}};
    config.update(changes);
    std::string kinds;  // a digit for a rotary embedding, w for a window
    for (const LayerSpec& layer : folder_config(config).layers) {
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

TEST(Architectures, Gemma3FromGguf) {
  const ModelConfig config = read_as(Convention::kGguf, gguf_gemma());
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

TEST(Architectures, Gemma3sPatternMayBeAList) {
  json config = gguf_gemma();
  config["gemma3.block_count"] = 3;
  config["gemma3.attention.sliding_window_pattern"] = {false, true, false};
  const ModelConfig read_back = read_as(Convention::kGguf, config);
  EXPECT_EQ(read_back.layers.at(0).window, 0);
  EXPECT_EQ(read_back.layers.at(1).window, 512);
  EXPECT_EQ(read_back.layers.at(2).window, 0);
}

TEST(Architectures, TheLargestGemma3InGgufScalesByItsOwnScalar) {
  json config = gguf_gemma();
  config.update({{"gemma3.block_count", 62},
                 {"gemma3.embedding_length", 5376},
                 {"gemma3.attention.head_count", 32},
                 {"gemma3.attention.key_length", 128}});
  EXPECT_FLOAT_EQ(read_as(Convention::kGguf, config).attention_scale, 1 / std::sqrt(168.0F));
}

TEST(Architectures, Gpt2sKeysAreItsOwn) {
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
  const ModelConfig gpt2 = read_as(Convention::kHuggingFace, config);
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
  EXPECT_EQ(read_as(Convention::kHuggingFace, changed({{"n_inner", 96}})).intermediate_size, 96);
  expect_config_refused<Unsupported>(Convention::kHuggingFace, changed({{"scale_attn_by_inverse_layer_idx", true}}),
                                     {"scale_attn_by_inverse_layer_idx is true", "gpt2"});
  expect_config_refused<Unsupported>(Convention::kHuggingFace, changed({{"scale_attn_weights", false}}),
                                     {"scale_attn_weights is false"});
  EXPECT_THROW(read_config(MemorySource(Convention::kHuggingFace, config), kGivenYarn), InvalidArgument);
  EXPECT_NO_THROW(read_config(MemorySource(Convention::kHuggingFace, config), "none"));
}

TEST(Architectures, OptOf350MIsAnotherModel) {
  json config = {{"architectures", {"OPTForCausalLM"}},
                 {"hidden_size", 64},
                 {"num_hidden_layers", 2},
                 {"num_attention_heads", 4},
                 {"ffn_dim", 96},
                 {"vocab_size", 50},
                 {"do_layer_norm_before", true}};
  const ModelConfig opt = read_as(Convention::kHuggingFace, config);
  EXPECT_EQ(opt.intermediate_size, 96);
  EXPECT_EQ(opt.max_position, 2048);
  EXPECT_EQ(opt.first_position, 2);
  EXPECT_FLOAT_EQ(opt.norm_epsilon, 1e-5F);
  EXPECT_EQ(opt.activation, kernels::Activation::kRelu);
  config["word_embed_proj_dim"] = 64;
  EXPECT_NO_THROW(read_as(Convention::kHuggingFace, config));
  config["word_embed_proj_dim"] = 32;
  expect_config_refused<Unsupported>(Convention::kHuggingFace, config,
                                     {"word_embed_proj_dim is 32 and hidden_size is 64"});
  config["word_embed_proj_dim"] = nullptr;
  config["do_layer_norm_before"] = false;
  expect_config_refused<Unsupported>(Convention::kHuggingFace, config, {"do_layer_norm_before is false", "opt"});
}

/// Whose name ends as that of a class without a head does.
TEST(Architectures, AGpt2ThatIsNotTiedNeedsAHead) {
  json config = {{"architectures", {"GPT2LMHeadModel"}}, {"vocab_size", 50}, {"tie_word_embeddings", false}};
  expect_config_refused<FormatError>(Convention::kHuggingFace, config,
                                     {"weight lm_head.weight is missing, and tie_word_embeddings is false"});
  config["architectures"] = {"GPT2Model"};
  EXPECT_TRUE(read_as(Convention::kHuggingFace, config).tied_lm_head);
}

json gguf_gemma2() {
  return {{"general.architecture", "gemma2"},     {"gemma2.context_length", 8192},
          {"gemma2.embedding_length", 4608},      {"gemma2.block_count", 46},
          {"gemma2.feed_forward_length", 36864},  {"gemma2.attention.head_count", 32},
          {"gemma2.attention.head_count_kv", 16}, {"gemma2.attention.layer_norm_rms_epsilon", 1e-6},
          {"gemma2.attention.key_length", 128},   {"gemma2.vocab_size", 1000}};
}

TEST(Architectures, Gemma2FromGguf) {
  const ModelConfig config = read_as(Convention::kGguf, gguf_gemma2());
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
  const ModelConfig read_smaller = read_as(Convention::kGguf, smaller);
  EXPECT_FLOAT_EQ(read_smaller.attention_scale, 1 / std::sqrt(128.0F));
  EXPECT_EQ(read_smaller.attention_soft_cap, 7);
  EXPECT_EQ(read_smaller.final_soft_cap, 5);
  EXPECT_EQ(read_smaller.layers.at(2).window, 64);
}

TEST(Architectures, Gemma2sCapsMayBeOff) {
  const json gemma = {{"architectures", {"Gemma2ForCausalLM"}}, {"head_dim", 16}};
  const ModelConfig usual = folder_config(gemma);
  EXPECT_EQ(usual.attention_soft_cap, 50);
  EXPECT_EQ(usual.final_soft_cap, 30);
  EXPECT_FLOAT_EQ(usual.attention_scale, 1.0F / 16) << "query_pre_attn_scalar is 256 unless it is said";
  EXPECT_EQ(usual.layers.at(0).window, 4096);
  EXPECT_EQ(usual.layers.at(1).window, 0);
  json config = tiny_llama_config();
  config.update(gemma);
  config.update({{"attn_logit_softcapping", nullptr}, {"final_logit_softcapping", nullptr}});
  const ModelConfig off = read_as(Convention::kHuggingFace, config);
  EXPECT_EQ(off.attention_soft_cap, 0);
  EXPECT_EQ(off.final_soft_cap, 0);
}

TEST(Architectures, LlamaFromGguf) {
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

/// Whose keys llama.cpp reads so.
TEST(Architectures, AGraniteOfAGgufFileMayHaveNoRotaryEmbedding) {
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
  for (const LayerSpec& layer : read_as(Convention::kGguf, config).layers) EXPECT_EQ(layer.rotary, 0);
  config["granite.rope.scaling.finetuned"] = false;
  for (const LayerSpec& layer : read_as(Convention::kGguf, config).layers) EXPECT_EQ(layer.rotary, -1);
}

TEST(Architectures, AnOlmoeWhoseValuesAreClampedIsRefusedInEitherConvention) {
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
  EXPECT_NO_THROW(read_as(Convention::kGguf, config));
  config["olmoe.attention.clamp_kqv"] = 8.0;
  expect_config_refused<Unsupported>(Convention::kGguf, config, {"olmoe.attention.clamp_kqv is 8.0"});
  expect_folder_refused<Unsupported>({{"architectures", {"OlmoeForCausalLM"}}, {"clip_qkv", 8.0}}, {"clip_qkv is 8.0"});
}

}  // namespace
}  // namespace caravel::model
