#include "model/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "device/deferred_device.h"
#include "fixtures.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

using Logits = std::vector<std::vector<float>>;

/// A model of tests/fixtures/models, and what transformers makes of one sequence in f32.
struct Golden {
  std::vector<int32_t> tokens;
  Logits logits;
};

Golden read_golden(const std::string& name, const std::string& stem = "golden") {
  const std::string folder = tests::model_fixture(name);
  const nlohmann::json golden = nlohmann::json::parse(std::ifstream(folder + "/" + stem + ".json"));
  const auto vocabulary = golden["shape"][1].get<size_t>();
  Golden result{golden["tokens"].get<std::vector<int32_t>>(), {}};
  std::ifstream file(folder + "/" + golden["logits_f32"].get<std::string>(), std::ios::binary);
  result.logits.assign(result.tokens.size(), std::vector<float>(vocabulary));
  for (std::vector<float>& row : result.logits) {
    file.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(vocabulary * sizeof(float)));
  }
  EXPECT_TRUE(file.good()) << folder;
  return result;
}

/// Path of a file or folder of tests/fixtures/models ("llama", "llama.gguf"); a split file's first part.
std::string fixture_path(const std::string& file) {
  const std::filesystem::path models = std::filesystem::path(tests::fixtures()) / "models";
  if (std::filesystem::exists(models / file)) return models / file;
  const std::string stem = std::filesystem::path(file).stem().string() + "-00001-of-";
  for (const auto& entry : std::filesystem::directory_iterator(models)) {
    if (entry.path().filename().string().starts_with(stem)) return entry.path();
  }
  ADD_FAILURE() << "no fixture " << file;
  return {};
}

/// Largest difference, over the largest logit. Names the worst place where it is above `tolerance`.
void expect_near(const Logits& got, const Logits& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0, worst = -1;
  size_t worst_row = 0, worst_column = 0;
  for (size_t row = 0; row < got.size(); ++row) {
    ASSERT_EQ(got[row].size(), expected[row].size());
    for (size_t column = 0; column < got[row].size(); ++column) {
      largest = std::max(largest, static_cast<double>(std::abs(expected[row][column])));
      const double difference = std::abs(static_cast<double>(got[row][column]) - expected[row][column]);
      if (!(difference <= worst)) worst = difference, worst_row = row, worst_column = column;
    }
  }
  EXPECT_LE(worst, tolerance * largest) << "token " << worst_row << ", logit " << worst_column << ": "
                                        << got[worst_row][worst_column] << " against "
                                        << expected[worst_row][worst_column];
}

std::vector<int> random_chunks(size_t total, std::mt19937& random) {
  std::vector<int> sizes;
  for (int left = static_cast<int>(total); left > 0; left -= sizes.back()) {
    sizes.push_back(std::uniform_int_distribution<int>(1, std::min(left, 11))(random));
  }
  return sizes;
}

/// What a device's products cost that are rounded to 8 bits (BF16) between GEMMs: of a score both factors, the query
/// and the key, each by itself, so the root of two of what keys of that type do.
double with_products(double tolerance) {
  return tests_a_gpu() ? std::max(tolerance, std::sqrt(2.0) * 16 * std::ldexp(1.0, -8)) : tolerance;
}

/// What 8-bit inputs of GEMMs cost (weights that are quantised take them): a 127th of the largest of 32 inputs, of
/// which a half at most and each another way.
double with_inputs(double tolerance, const format::WeightSource& source) {
  const bool quantized =
      std::ranges::any_of(source.weights(), [](const auto& weight) { return is_quantized(weight.dtype); });
  return quantized ? std::max(tolerance, 4 / 127.0) : tolerance;
}

/// Parameter: the model as an entry of tests/fixtures/models.
class FixtureModel : public ::testing::TestWithParam<std::string> {
 protected:
  FixtureModel()
      : source_(format::open_weights(fixture_path(GetParam()))),
        golden_(read_golden(std::filesystem::path(GetParam()).stem().string())) {}

  void SetUp() override {
    if (const std::string why = refusal(*source_); !why.empty()) GTEST_SKIP() << why;
  }

  Logits prefill(const ModelHarness::Options& options) const {
    ModelHarness model(*source_, options);
    const int whole = static_cast<int>(golden_.tokens.size());
    return model.run(0, golden_.tokens, {&whole, 1});
  }

  std::unique_ptr<format::WeightSource> source_;
  Golden golden_;
};

// f32 all the way, on both sides: rounding alone, 2^-24 at each of the some hundred operations that follow one another
// on the way to a logit.
TEST_P(FixtureModel, LogitsAreTransformersOnEveryIsa) {
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    expect_near(prefill({.kv_dtype = kernels::KvDtype::kF32, .isa = isa}), golden_.logits,
                with_inputs(with_products(256 * std::ldexp(1.0, -24)), *source_));
  }
}

// Keys and values rounded to 11 bits (f16), to 8 (bf16), or to 127ths of the largest (int8). A key off by 2^-p moves
// its score by score * 2^-p, and the scores of these models, made sharp so that attention matters, reach some tens.
TEST_P(FixtureModel, AShortCacheTypeCostsItsRounding) {
  expect_near(prefill({.kv_dtype = kernels::KvDtype::kF16}), golden_.logits,
              with_inputs(with_products(16 * std::ldexp(1.0, -11)), *source_));
  expect_near(prefill({.kv_dtype = kernels::KvDtype::kBF16}), golden_.logits, with_products(16 * std::ldexp(1.0, -8)));
  expect_near(prefill({.kv_dtype = kernels::KvDtype::kInt8}), golden_.logits, with_products(16 / 127.0));
}

TEST_P(FixtureModel, ChunksDoNotChangeABit) {
  const Logits expected = prefill({.kv_dtype = kernels::KvDtype::kF16, .threads = 2});
  ModelHarness model(*source_, {.kv_dtype = kernels::KvDtype::kF16, .threads = 1});
  EXPECT_EQ(model.run(1, golden_.tokens, std::vector<int>(golden_.tokens.size(), 1)), expected) << "one at a time";
  std::mt19937 random(11);
  for (int sequence = 2; sequence < 6; ++sequence) {
    EXPECT_EQ(model.run(sequence, golden_.tokens, random_chunks(golden_.tokens.size(), random)), expected);
  }
}

TEST_P(FixtureModel, TheRestOfTheBatchDoesNotChangeABit) {
  // Four sequences of other tokens and lengths, in random chunks side by side, on one thread and on two; alone on two.
  std::mt19937 random(13);
  std::vector<std::vector<int32_t>> sequences(4, golden_.tokens);
  for (size_t s = 0; s < sequences.size(); ++s) {
    std::shuffle(sequences[s].begin(), sequences[s].end(), random);
    sequences[s].resize(sequences[s].size() - 7 * s);
  }
  std::vector<Logits> alone;
  ModelHarness single(*source_, {.kv_dtype = kernels::KvDtype::kF16, .threads = 2});
  for (size_t s = 0; s < sequences.size(); ++s) {
    const int whole = static_cast<int>(sequences[s].size());
    alone.push_back(single.run(static_cast<int>(s), sequences[s], {&whole, 1}));
  }
  for (const int threads : {1, 2}) {
    ModelHarness model(*source_, {.kv_dtype = kernels::KvDtype::kF16, .threads = threads});
    std::vector<Logits> together(sequences.size());
    std::vector<size_t> done(sequences.size(), 0);
    while (true) {
      std::vector<ModelHarness::Chunk> chunks;
      for (size_t s = 0; s < sequences.size(); ++s) {
        const size_t left = sequences[s].size() - done[s];
        const size_t count = std::min<size_t>(left, std::uniform_int_distribution<size_t>(0, 9)(random));
        if (count == 0) continue;
        const auto begin = sequences[s].begin() + static_cast<ptrdiff_t>(done[s]);
        chunks.push_back({static_cast<int>(s), {begin, begin + static_cast<ptrdiff_t>(count)}});
        done[s] += count;
      }
      if (chunks.empty()) {
        size_t finished = 0;
        for (size_t s = 0; s < sequences.size(); ++s) finished += done[s] == sequences[s].size() ? 1U : 0U;
        if (finished == sequences.size()) break;
        continue;
      }
      size_t row = 0;
      const Logits logits = model.step(chunks);
      for (const ModelHarness::Chunk& chunk : chunks) {
        for (size_t i = 0; i < chunk.tokens.size(); ++i) {
          together[static_cast<size_t>(chunk.sequence)].push_back(logits[row++]);
        }
      }
    }
    EXPECT_EQ(together, alone) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(HuggingFace, FixtureModel,
                         ::testing::Values("llama", "llama_tied", "llama3", "llama_linear", "mistral", "qwen2", "qwen3",
                                           "gemma3", "gemma3_scaled", "phi3", "phi4_mini", "smollm3", "smollm3_listed",
                                           "granite", "glm", "glm4", "ministral3", "ministral3_images", "llama_yarn",
                                           "gemma3_images", "llama_fp8", "mistral_fp8", "qwen3_fp8"));
INSTANTIATE_TEST_SUITE_P(Gguf, FixtureModel,
                         ::testing::Values("llama.gguf", "llama_tied.gguf", "llama3.gguf", "llama_linear.gguf",
                                           "qwen2.gguf", "qwen3.gguf", "gemma3.gguf", "gemma3_scaled.gguf", "phi3.gguf",
                                           "phi4_mini.gguf", "smollm3.gguf", "granite.gguf", "glm.gguf", "glm4.gguf",
                                           "ministral3.gguf"));
INSTANTIATE_TEST_SUITE_P(OtherNorms, FixtureModel,
                         ::testing::Values("olmo2", "olmo2.gguf", "olmo3", "olmo3.gguf", "gemma2", "gemma2.gguf",
                                           "gpt2", "gpt2.gguf", "opt"));

INSTANTIATE_TEST_SUITE_P(Experts, FixtureModel,
                         ::testing::Values("mixtral", "mixtral.gguf", "qwen2_moe", "qwen2_moe.gguf", "qwen3_moe",
                                           "qwen3_moe.gguf", "qwen3_moe_dense", "glm4_moe", "glm4_moe.gguf", "olmoe",
                                           "olmoe.gguf", "minimax_m2", "minimax_m2.gguf", "granite_moe",
                                           "granite_moe.gguf", "granite_moe_shared", "granite_moe_shared.gguf",
                                           "gpt_oss", "gpt_oss.gguf", "gpt_oss_bf16", "gpt_oss_bf16.gguf"));

INSTANTIATE_TEST_SUITE_P(Latent, FixtureModel,
                         ::testing::Values("deepseek_v2_lite", "deepseek_v2_lite.gguf", "deepseek_v2",
                                           "deepseek_v2.gguf", "deepseek_v2_scaled", "deepseek_v3", "deepseek_v3.gguf",
                                           "deepseek_v3_fp8"));

// Which of two sets of rotary frequencies is taken follows from the longest sequence that there may be, not from those
// that there are.
TEST(Decoder, LongropeIsShortWhereNoSequenceMayBeLong) {
  const Golden golden = read_golden("phi4_mini");
  const Golden of_short = read_golden("phi4_mini", "golden_short");
  const int whole = static_cast<int>(of_short.tokens.size());
  for (const char* file : {"phi4_mini", "phi4_mini.gguf"}) {
    const auto source = format::open_weights(fixture_path(file));
    const auto run = [&](int max_context) {
      ModelHarness model(*source, {.max_context = max_context});
      return model.run(0, of_short.tokens, {&whole, 1});
    };
    expect_near(run(whole), of_short.logits, with_products(256 * std::ldexp(1.0, -24)));
    const Logits of_long(golden.logits.begin(), golden.logits.begin() + whole);
    expect_near(run(whole + 8), of_long, with_products(256 * std::ldexp(1.0, -24)));
  }
}

TEST(Decoder, SoftCapBoundsTheLogits) {
  // As Gemma 3's configuration spells it; a Llama has no such key, so the source is a Gemma by its config alone.
  nlohmann::json config = tiny_llama_config();
  config.update({{"architectures", {"Gemma3ForCausalLM"}}, {"head_dim", 16}, {"num_hidden_layers", 1}});
  MemorySource source(format::Convention::kHuggingFace, config);
  source.add_random("model.embed_tokens.weight", {50, 64});
  source.add_random("model.norm.weight", {64});
  const std::string layer = "model.layers.0.";
  for (const char* norm :
       {"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"}) {
    source.add_random(layer + norm + ".weight", {64});
  }
  source.add_random(layer + "self_attn.q_norm.weight", {16});
  source.add_random(layer + "self_attn.k_norm.weight", {16});
  source.add_random(layer + "self_attn.q_proj.weight", {64, 64});
  source.add_random(layer + "self_attn.k_proj.weight", {32, 64});
  source.add_random(layer + "self_attn.v_proj.weight", {32, 64});
  source.add_random(layer + "self_attn.o_proj.weight", {64, 64});
  source.add_random(layer + "mlp.gate_proj.weight", {96, 64});
  source.add_random(layer + "mlp.up_proj.weight", {96, 64});
  source.add_random(layer + "mlp.down_proj.weight", {64, 96});

  const std::vector<ModelHarness::Chunk> chunk = {{0, {7, 8, 9}}};
  Logits expected = ModelHarness(source, {}).step(chunk);
  constexpr float kCap = 2.0F;
  for (std::vector<float>& row : expected) {
    for (float& logit : row) logit = kCap * std::tanh(logit / kCap);
  }
  source.config()["final_logit_softcapping"] = kCap;
  expect_near(ModelHarness(source, {}).step(chunk), expected, 1e-6);
}

TEST(Decoder, TwoRunTheSameWeights) {
  const MemorySource source = make_tiny_llama();
  ModelHarness first(source, {});
  ModelHarness second(first);
  EXPECT_EQ(&first.decoder().weights(), &second.decoder().weights());
  const std::vector<ModelHarness::Chunk> chunk = {{0, {7, 8, 9}}};
  const std::vector<ModelHarness::Chunk> other = {{0, {1, 2}}};
  const Logits expected = first.step(chunk);
  EXPECT_NE(first.step(other), second.step(other)) << "each has its own activations, keys and values";
  EXPECT_EQ(ModelHarness(second).step(chunk), expected);
}

TEST(Decoder, KeepsWhatEntersEachLayer) {
  MemorySource source = make_tiny_llama();
  const std::vector<ModelHarness::Chunk> chunk = {{0, {7, 8, 9}}};
  const Logits expected = ModelHarness(source, {}).step(chunk);
  std::vector<float> inputs;
  EXPECT_EQ(ModelHarness(source, {}).step(chunk, &inputs), expected);
  ASSERT_EQ(inputs.size(), 2U * 3 * 64);
  // The first layer reads the embedding; the second what a model of the first layer alone ends with, before its norm.
  const MappedBytes bytes = source.map(*source.find("model.embed_tokens.weight"));
  const auto* embedding = reinterpret_cast<const float*>(bytes.bytes().data());
  for (size_t i = 0; i < 3 * 64; ++i) ASSERT_EQ(inputs[i], embedding[(7 + i / 64) * 64 + i % 64]) << i;
  source.config()["num_hidden_layers"] = 1;
  std::vector<std::string> names;
  for (const format::WeightInfo& weight : source.weights()) names.push_back(weight.name);
  for (const std::string& name : names) {
    if (name.starts_with("model.layers.1.")) source.remove(name);
  }
  source.add("model.norm.weight", {64}, std::vector<float>(64, 1.0F));
  ModelHarness shallow(source, {});
  shallow.step(chunk);
  const std::vector<float> normed = shallow.final_hidden(std::vector<int32_t>{0, 1, 2});
  for (size_t row = 0; row < 3; ++row) {
    const float* const x = &inputs[(3 + row) * 64];
    double squares = 0;
    for (size_t i = 0; i < 64; ++i) squares += static_cast<double>(x[i]) * x[i];
    const double scale = 1 / std::sqrt(squares / 64 + 1e-6);
    for (size_t i = 0; i < 64; ++i) ASSERT_NEAR(normed[row * 64 + i], scale * x[i], 1e-5) << row << ", " << i;
  }
}

TEST(Decoder, FinalHiddenIsWhatTheLmHeadSees) {
  const MemorySource source = make_tiny_llama();
  ModelHarness model(source, {});
  const Logits logits = model.step(std::vector<ModelHarness::Chunk>{{0, {7, 8, 9}}});
  const std::vector<float> hidden = model.final_hidden(std::vector<int32_t>{2, 0});
  const MappedBytes bytes = source.map(*source.find("model.embed_tokens.weight"));
  const auto* embedding = reinterpret_cast<const float*>(bytes.bytes().data());
  for (size_t row = 0; row < 2; ++row) {
    for (size_t token = 0; token < 50; ++token) {
      double sum = 0;
      for (size_t i = 0; i < 64; ++i) sum += static_cast<double>(hidden[row * 64 + i]) * embedding[token * 64 + i];
      EXPECT_NEAR(sum, logits[row == 0 ? 2 : 0][token], 1e-4);
    }
  }
}

}  // namespace
}  // namespace caravel::model
