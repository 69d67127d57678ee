#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/deferred_device.h"
#include "edited_source.h"
#include "kernels/dequantize.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

using ::testing::HasSubstr;

const std::vector<int32_t> kTokens = {3, 1, 4, 1, 5, 9, 2, 6};

ModelWeights load(const format::WeightSource& source) {
  static CpuDevice device(1);  // outlives the buffers
  DeviceSink sink(device);
  return load_weights(sink, source, read_config(source));
}

template <typename E>
void expect_refused(const format::WeightSource& source, const std::vector<std::string>& parts) {
  try {
    load(source);
    ADD_FAILURE() << "loaded";
  } catch (const E& error) {
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

std::vector<std::vector<float>> logits_of(const MemorySource& source) {
  ModelHarness model(source, {});
  const int whole = static_cast<int>(kTokens.size());
  return model.run(0, kTokens, {&whole, 1});
}

TEST(LoadWeights, EveryWeightIsReadOnce) {
  MemorySource source = make_tiny_llama();
  const ModelWeights weights = load(source);
  EXPECT_EQ(source.mapped().size(), source.weights().size());
  for (const auto& [name, times] : source.mapped()) EXPECT_EQ(times, 1) << name;
  EXPECT_EQ(weights.layers.size(), 2U);
  EXPECT_EQ(weights.layers[0].qkv.out(), 128);
  EXPECT_FALSE(weights.lm_head);
  EXPECT_FALSE(weights.layers[0].q_norm);
  size_t stored = 0;
  for (const format::WeightInfo& weight : source.weights()) stored += weight.bytes;
  EXPECT_GE(weights.bytes, stored);
}

TEST(LoadWeights, NoneIsReadWhereOneIsWrong) {
  MemorySource source = make_tiny_llama();
  source.remove("model.layers.1.mlp.up_proj.weight");
  EXPECT_THROW(load(source), FormatError);
  EXPECT_TRUE(source.mapped().empty());
}

TEST(LoadWeights, AMissingOneIsNamed) {
  MemorySource source = make_tiny_llama();
  source.remove("model.layers.1.mlp.up_proj.weight");
  expect_refused<FormatError>(source, {"model.layers.1.mlp.up_proj.weight is missing"});
}

TEST(LoadWeights, AWrongShapeIsToldWithBoth) {
  MemorySource source = make_tiny_llama();
  source.add_random("model.layers.0.self_attn.k_proj.weight", {64, 64});
  expect_refused<FormatError>(source, {"model.layers.0.self_attn.k_proj.weight", "[64, 64]", "[32, 64]"});
  source.add_random("model.layers.0.self_attn.k_proj.weight", {32, 64, 1});
  expect_refused<FormatError>(source, {"[32, 64, 1]", "[32, 64]"});
}

TEST(LoadWeights, OneThatNothingReadsIsRefused) {
  MemorySource source = make_tiny_llama();
  source.add_random("model.layers.0.self_attn.rotary_emb.inv_freq", {8});  // old Llama folders have it
  EXPECT_NO_THROW(load(source));
  source.add_random("model.layers.1.self_attn.sinks", {4});
  expect_refused<Unsupported>(source, {"model.layers.1.self_attn.sinks", "llama"});
  source.remove("model.layers.1.self_attn.sinks");
  source.add_random("model.layers.2.input_layernorm.weight", {64});
  expect_refused<Unsupported>(source, {"model.layers.2.input_layernorm.weight", "2 layers"});
}

/// The configuration's switch and the file must agree: with it off, transformers ignores the weight.
TEST(LoadWeights, BiasesThatASwitchDeniesAreRefused) {
  for (const auto& [key, bias, width] :
       {std::tuple("attention_bias", "self_attn.k_proj.bias", 32), std::tuple("mlp_bias", "mlp.down_proj.bias", 64)}) {
    MemorySource source = make_tiny_llama();
    source.config()[key] = false;
    EXPECT_NO_THROW(load(source));
    const std::string name = std::string("model.layers.1.") + bias;
    source.add_random(name, {width});
    expect_refused<FormatError>(source, {name + " is there, and " + key + " is false"});
    for (const nlohmann::json& said : {nlohmann::json(true), nlohmann::json(nullptr)}) {
      source.config()[key] = said;
      EXPECT_NO_THROW(load(source)) << said;  // one that is missing is zero
    }
    source.config()[key] = 1;
    expect_refused<FormatError>(source, {std::string(key) + " is 1; it must be true or false"});
  }
}

/// A number of layers that is one too small, beside one of layers that guess, would drop a layer in silence.
TEST(LoadWeights, ALayerThatGuessesIsKnownByWhatItReads) {
  for (const bool gguf : {false, true}) {
    EditedSource source(gguf ? "glm4_moe.gguf" : "glm4_moe");
    const char* const layers = gguf ? "glm4moe.block_count" : "num_hidden_layers";
    constexpr int kLast = 2;  // of those that are there
    source.config()[gguf ? "glm4moe.nextn_predict_layers" : "num_nextn_predict_layers"] = 1;
    source.config()[layers] = gguf ? kLast + 1 : kLast;
    const std::string prefix = gguf ? fmt::format("blk.{}.", kLast) : fmt::format("model.layers.{}.", kLast);
    const std::string guesses = prefix + (gguf ? "nextn.eh_proj.weight" : "eh_proj.weight");
    expect_refused<FormatError>(source, {"is of a layer behind the last of", "there is no " + guesses});
    source.copy(prefix + (gguf ? "attn_norm.weight" : "input_layernorm.weight"), guesses);
    EXPECT_NO_THROW(load(source));
  }
}

TEST(LoadWeights, ExpertsAreThereOnce) {
  EditedSource both("mixtral.gguf");
  both.copy("blk.0.ffn_gate_exps.weight", "blk.0.ffn_gate_up_exps.weight");
  expect_refused<FormatError>(both, {"there is blk.0.ffn_gate_exps.weight, and blk.0.ffn_gate_up_exps.weight"});
  EditedSource folder("qwen3_moe");
  folder.copy("model.layers.0.mlp.experts.1.down_proj.weight", "model.layers.0.mlp.experts.down_proj");
  folder.copy("model.layers.0.mlp.experts.1.up_proj.weight", "model.layers.0.mlp.experts.gate_up_proj");
  expect_refused<FormatError>(folder, {"experts.0.gate_proj.weight, and model.layers.0.mlp.experts.gate_up_proj"});
  EditedSource old("mixtral.gguf");
  old.copy("blk.0.ffn_gate_exps.weight", "blk.0.ffn_gate.0.weight");
  expect_refused<Unsupported>(
      old, {"blk.0.ffn_gate.0.weight is of one expert", "convert the model again", "blk.0.ffn_gate_exps.weight"});
}

TEST(LoadWeights, ABiasForTheChoiceIsMissedWhereScoresAreSigmoids) {
  for (const char* name : {"deepseek_v3.gguf", "glm4_moe.gguf", "minimax_m2.gguf"}) {
    EditedSource source(name);
    source.remove("blk.1.exp_probs_b.bias");
    expect_refused<FormatError>(source, {"blk.1.exp_probs_b.bias is missing"});
  }
  EXPECT_NO_THROW(load(EditedSource("deepseek_v2.gguf"))) << "whose scores are a softmax";
}

TEST(LoadWeights, NormsThatASwitchAsksForAreMissed) {
  EditedSource source("glm4_moe");
  source.config()["use_qk_norm"] = false;
  expect_refused<FormatError>(source, {"q_norm.weight is there, and use_qk_norm is false"});
  source.config()["use_qk_norm"] = true;
  source.remove("model.layers.1.self_attn.k_norm.weight");
  expect_refused<FormatError>(source, {"model.layers.1.self_attn.k_norm.weight is missing, and use_qk_norm is true"});
}

TEST(LoadWeights, AnLmHeadCountsUnlessItIsTied) {
  MemorySource source = make_tiny_llama();
  const auto tied = logits_of(source);
  source.add_random("lm_head.weight", {50, 64});
  EXPECT_NE(logits_of(source), tied);
  source.config()["tie_word_embeddings"] = true;
  EXPECT_EQ(logits_of(source), tied);
}

TEST(LoadWeights, AnLmHeadThatIsNotTiedIsMissed) {
  MemorySource source = make_tiny_llama();
  source.config()["tie_word_embeddings"] = false;
  expect_refused<FormatError>(source, {"lm_head.weight is missing", "tie_word_embeddings is false"});
  source.config()["architectures"] = {"LlamaModel"};  // a base model has none, and embeds
  EXPECT_NO_THROW(load(source));
}

TEST(LoadWeights, BiasesOfTheFeedForwardCount) {
  MemorySource source = make_tiny_llama();
  const auto without = logits_of(source);
  source.add("model.layers.0.mlp.gate_proj.bias", {96}, std::vector<float>(96, 0.0F));
  EXPECT_EQ(logits_of(source), without) << "zeros change no bit";
  for (const char* name : {"gate_proj.bias", "up_proj.bias"}) {
    source.add_random(std::string("model.layers.0.mlp.") + name, {96});
    EXPECT_NE(logits_of(source), without) << name;
    source.remove(std::string("model.layers.0.mlp.") + name);
  }
  source.add_random("model.layers.1.mlp.down_proj.bias", {64});
  EXPECT_NE(logits_of(source), without);
}

TEST(LoadWeights, ABiasOfSomePartsIsZeroInTheOthers) {
  MemorySource source = make_tiny_llama();
  source.add_random("model.layers.0.self_attn.k_proj.bias", {32});
  const auto some = logits_of(source);
  source.add("model.layers.0.self_attn.q_proj.bias", {64}, std::vector<float>(64, 0.0F));
  source.add("model.layers.0.self_attn.v_proj.bias", {32}, std::vector<float>(32, 0.0F));
  EXPECT_EQ(logits_of(source), some);
}

TEST(LoadWeights, AStackOfQuantisedAndOthersKeepsItsValues) {
  // Q8_0: blocks of an f16 scale (0x2400 = 2^-6) and 32 int8.
  std::vector<std::byte> blocks;
  for (int block = 0; block < 64 * 64 / 32; ++block) {
    blocks.push_back(std::byte{0x00});
    blocks.push_back(std::byte{0x24});
    for (int i = 0; i < 32; ++i) blocks.push_back(static_cast<std::byte>((block * 7 + i * 5) % 37 - 18));
  }
  std::vector<float> values(64 * 64);
  kernels::dequantize_rows(DType::kQ8_0, blocks.data(), 64, 64, values.data());
  ASSERT_EQ(values[1], (5 % 37 - 18) / 64.0F);

  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  MemorySource source = make_tiny_llama();
  source.add(name, {64, 64}, values);
  const auto expected = logits_of(source);
  source.add(name, {64, 64}, DType::kQ8_0, blocks);
  EXPECT_EQ(logits_of(source), expected);
}

/// A GPT-2 of one layer, as its folder was published: names without a prefix, and masks that nothing reads.
MemorySource tiny_gpt2() {
  MemorySource source(format::Convention::kHuggingFace, {{"architectures", {"GPT2LMHeadModel"}},
                                                         {"n_embd", 64},
                                                         {"n_layer", 1},
                                                         {"n_head", 4},
                                                         {"n_positions", 16},
                                                         {"n_inner", 96},
                                                         {"vocab_size", 50}});
  const std::string layer = "transformer.h.0.";
  source.add_random("transformer.wte.weight", {50, 64});
  source.add_random("transformer.wpe.weight", {16, 64});
  for (const std::string& norm : {layer + "ln_1", layer + "ln_2", std::string("transformer.ln_f")}) {
    source.add_random(norm + ".weight", {64}, 1.0F);
    source.add_random(norm + ".bias", {64});
  }
  source.add_random(layer + "attn.c_attn.weight", {64, 192});
  source.add_random(layer + "attn.c_attn.bias", {192});
  source.add_random(layer + "attn.c_proj.weight", {64, 64});
  source.add_random(layer + "attn.c_proj.bias", {64});
  source.add_random(layer + "mlp.c_fc.weight", {64, 96});
  source.add_random(layer + "mlp.c_fc.bias", {96});
  source.add_random(layer + "mlp.c_proj.weight", {96, 64});
  source.add_random(layer + "mlp.c_proj.bias", {64});
  return source;
}

TEST(LoadWeights, WhatIsStoredByColumnsHasNoBlocks) {
  MemorySource source = tiny_gpt2();
  source.add_random("transformer.h.0.attn.bias", {1, 1, 16, 16});
  EXPECT_NO_THROW(load(source));
  source.add("transformer.h.0.mlp.c_fc.weight", {64, 96}, DType::kQ8_0, std::vector<std::byte>(64 * 3 * 34));
  expect_refused<Unsupported>(source, {"mlp.c_fc.weight", "Q8_0", "[in, out]", "BF16"});
  source.add_random("transformer.h.0.mlp.c_fc.weight", {96, 64});
  expect_refused<FormatError>(source, {"is [96, 64]", "must be [64, 96]"});
}

TEST(LoadWeights, LearnedPositionsAreAsManyAsTheContextIsLong) {
  MemorySource source = tiny_gpt2();
  source.config()["n_positions"] = 17;
  expect_refused<FormatError>(source, {"transformer.wpe.weight is [16, 64]", "must be [17, 64]"});
}

/// Bytes that are 8-bit floats, all sizes of them, and what they mean.
struct Codes {
  explicit Codes(size_t count) : bytes(count), values(count) {
    for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>((i * 37 + i / 64) % 120 + i % 2 * 128);
    kernels::dequantize_rows(DType::kF8E4M3, bytes.data(), 1, static_cast<int64_t>(count), values.data());
  }
  std::vector<std::byte> bytes;
  std::vector<float> values;
};

const char* const kDown = "model.layers.0.mlp.down_proj.weight";

/// Powers of two, which change no bit of a product.
std::vector<float> some_scales(size_t count) {
  std::vector<float> scales(count);
  for (size_t i = 0; i < count; ++i) scales[i] = std::ldexp(1.0F, -8 - static_cast<int>(i * 5 % 7));
  return scales;
}

/// A model whose `down` has so many inputs.
MemorySource wide_llama(int64_t intermediate) {
  MemorySource source = make_tiny_llama();
  source.config()["intermediate_size"] = intermediate;
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    source.add_random(layer + "mlp.gate_proj.weight", {intermediate, 64});
    source.add_random(layer + "mlp.up_proj.weight", {intermediate, 64});
    source.add_random(layer + "mlp.down_proj.weight", {64, intermediate});
  }
  return source;
}

void expect_near_logits(const std::vector<std::vector<float>>& got, const std::vector<std::vector<float>>& want) {
  float largest = 0;
  for (const auto& row : want) {
    for (const float value : row) largest = std::max(largest, std::abs(value));
  }
  const float tolerance = largest * (tests_a_gpu() ? 0x1p-5F : 0x1p-18F);
  for (size_t t = 0; t < want.size(); ++t) {
    for (size_t i = 0; i < want[t].size(); ++i) ASSERT_NEAR(got[t][i], want[t][i], tolerance) << t << ", " << i;
  }
}

// One scale, one for each row, one for each 128 rows, and one for each block.
TEST(LoadWeights, QAndKAndVMayBeOneTensor) {
  // A GGUF file of ChatGLM's own folder has one, one of transformers' folder three; no bias is zeros.
  const auto make = [](bool joined) {
    MemorySource source(format::Convention::kGguf, {{"general.architecture", "chatglm"},
                                                    {"chatglm.context_length", 64},
                                                    {"chatglm.embedding_length", 64},
                                                    {"chatglm.block_count", 1},
                                                    {"chatglm.feed_forward_length", 96},
                                                    {"chatglm.attention.head_count", 4},
                                                    {"chatglm.attention.head_count_kv", 2},
                                                    {"chatglm.attention.layer_norm_rms_epsilon", 1e-5},
                                                    {"chatglm.rope.dimension_count", 8},
                                                    {"chatglm.vocab_size", 50}});
    const auto numbers = [](int64_t count) {
      std::vector<float> values(static_cast<size_t>(count));
      for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1F * std::sin(static_cast<float>(i));
      return values;
    };
    source.add("token_embd.weight", {50, 64}, numbers(50 * 64));
    source.add("output_norm.weight", {64}, numbers(64));
    source.add("blk.0.attn_norm.weight", {64}, numbers(64));
    source.add("blk.0.ffn_norm.weight", {64}, numbers(64));
    source.add("blk.0.attn_output.weight", {64, 64}, numbers(64 * 64));
    source.add("blk.0.ffn_up.weight", {192, 64}, numbers(192 * 64));
    source.add("blk.0.ffn_down.weight", {64, 96}, numbers(64 * 96));
    const std::vector<float> weight = numbers(128 * 64);
    const std::vector<float> bias = numbers(128);
    if (joined) {
      source.add("blk.0.attn_qkv.weight", {128, 64}, weight);
      source.add("blk.0.attn_qkv.bias", {128}, bias);
      return source;
    }
    int64_t row = 0;
    for (const auto& [name, rows] : {std::pair<std::string, int64_t>{"q", 64}, {"k", 32}, {"v", 32}}) {
      source.add("blk.0.attn_" + name + ".weight", {rows, 64},
                 {weight.begin() + row * 64, weight.begin() + (row + rows) * 64});
      source.add("blk.0.attn_" + name + ".bias", {rows}, {bias.begin() + row, bias.begin() + row + rows});
      row += rows;
    }
    return source;
  };
  const std::vector<ModelHarness::Chunk> chunk = {{0, {7, 8, 9}}};
  MemorySource joined = make(true);
  EXPECT_EQ(ModelHarness(joined, {}).step(chunk), ModelHarness(make(false), {}).step(chunk));
  // One of them would be read, and the other not.
  joined.add_random("blk.0.attn_k.bias", {32});
  expect_refused<FormatError>(joined, {"there is blk.0.attn_k.bias, and blk.0.attn_qkv.bias, which holds the same"});
  joined.remove("blk.0.attn_k.bias");
  joined.add_random("blk.0.attn_v.weight", {32, 64});
  expect_refused<FormatError>(joined, {"there is blk.0.attn_v.weight, and blk.0.attn_qkv.weight"});
  joined.remove("blk.0.attn_v.weight");
  joined.add_random("blk.0.attn_qkv.weight", {120, 64});
  expect_refused<FormatError>(joined, {"blk.0.attn_qkv.weight is [120, 64]", "must be [128, 64]"});
}

TEST(LoadWeights, EightBitFloatsAreMultipliedByTheirScales) {
  struct Form {
    DType dtype;
    std::vector<int64_t> shape;
  };
  constexpr int64_t kIn = 256;
  const Codes codes(64 * kIn);
  for (const Form& form :
       {Form{DType::kF8E4M3, {1}}, Form{DType::kF8E4M3, {64, 1}}, Form{DType::kF8E4M3B128, {1, 2}}}) {
    const auto columns = form.shape.size() == 2 ? form.shape[1] : 1;
    const std::vector<float> scales = some_scales(static_cast<size_t>(form.shape[0] * columns));
    std::vector<float> values = codes.values;
    for (int64_t i = 0; i < 64 * kIn; ++i) {
      const int64_t row = form.shape[0] == 64 ? i / kIn : 0;
      values[static_cast<size_t>(i)] *= scales[static_cast<size_t>(row * columns + i % kIn * columns / kIn)];
    }
    MemorySource source = wide_llama(kIn);
    source.add(kDown, {64, kIn}, values);
    const auto expected = logits_of(source);
    source.add(kDown, {64, kIn}, DType::kF8E4M3, codes.bytes);
    source.add_scale(kDown, form.dtype, form.shape, scales);
    expect_near_logits(logits_of(source), expected);
  }
}

// Rows of a stack have their own: of a weight with one for each 128 of its own rows, and of one without.
TEST(LoadWeights, AStackOfEightBitFloatsAndOthersKeepsItsScales) {
  const std::string gate = "model.layers.0.mlp.gate_proj.weight";
  constexpr int64_t kRows = 200;
  const Codes codes(kRows * 64);
  const std::vector<float> scales = some_scales(2);
  std::vector<float> values = codes.values;
  for (size_t i = 0; i < values.size(); ++i) values[i] *= scales[i / 64 / 128];
  MemorySource source = wide_llama(kRows);
  source.add(gate, {kRows, 64}, values);
  const auto expected = logits_of(source);
  source.add(gate, {kRows, 64}, DType::kF8E4M3, codes.bytes);
  source.add_scale(gate, DType::kF8E4M3, {2, 1}, scales);
  expect_near_logits(logits_of(source), expected);
}

TEST(LoadWeights, AllButEmbeddingAndHeadBecomeEightBitFloats) {
  MemorySource source = make_tiny_llama();
  source.add_random("lm_head.weight", {50, 64});
  CpuDevice device(1);
  ModelConfig config = read_config(source);
  config.quantization = Quantization::kFp8;
  const WeightLayout layout = weight_layout(device, source, config);
  EXPECT_EQ(layout.embedding.parts()[0].dtype, DType::kF32);
  EXPECT_EQ(layout.lm_head.parts()[0].dtype, DType::kF32);
  EXPECT_EQ(layout.layers[0].qkv.parts()[2].dtype, DType::kF8E4M3);
  EXPECT_EQ(layout.layers[1].down.parts()[0].dtype, DType::kF8E4M3);
}

}  // namespace
}  // namespace caravel::model
