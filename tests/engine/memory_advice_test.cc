#include "engine/memory_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

#include "device/cpu/cpu_device.h"
#include "engine/choose_sizes.h"

namespace caravel::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kMebibyte = 1 << 20;

/// 4,000 MiB of weights; 1 MiB for each token of a step; keys and values of 64 KiB a token, half of that as 8 bits.
ModelMemory memory_of(const EngineConfig& config) {
  const bool small = config.kv_cache_dtype == KvCacheDtype::kInt8;
  return {.weights = 4000 * kMebibyte,
          .activations = config.max_num_batched_tokens * kMebibyte,
          .kv = {.groups = {{.window = 0, .layers = {0, 1, 2, 3}}},
                 .layers_per_group = 4,
                 .layer_bytes = kMebibyte / (small ? 8 : 4)},
          .full_model_len = config.max_model_len == 0 ? 8192 : config.max_model_len};
}

const std::vector<Quantization> kSmaller = {
    {"Q8_0", 3000 * kMebibyte}, {"Q6_K", 2000 * kMebibyte}, {"Q4_K_M", 1500 * kMebibyte}};

std::string advice(int64_t mebibytes, EngineConfig config = {}) {
  config = with_step_sizes(config, CpuDevice(1));
  return memory_advice({.device = {.bytes = mebibytes * kMebibyte, .bound_by = "the system"}}, config, memory_of,
                       kSmaller);
}

TEST(MemoryAdvice, TheLargestTypeThatLeavesAUsefulContext) {
  EXPECT_EQ(advice(3400), "the model as Q6_K (its weights take about 2.0 GiB then, the context is 5872 tokens)");
  EXPECT_EQ(advice(2100), "the model as Q4_K_M (its weights take about 1.5 GiB then, the context is 272 tokens)");
  EXPECT_THAT(advice(1000), IsEmpty());
}

TEST(MemoryAdvice, ASmallerStepWhereThatIsEnough) {
  EXPECT_THAT(advice(4400),
              HasSubstr("--max-num-batched-tokens 64 (a step takes 64 MiB then, the context is 2016 tokens); or the "
                        "model as Q8_0"));
  EXPECT_THAT(advice(5000, {.max_num_batched_tokens = 2048}),
              HasSubstr("--max-num-batched-tokens 256 (a step takes 256 MiB then"));
  EXPECT_THAT(advice(4100), Not(HasSubstr("--max-num-batched-tokens")));
  EXPECT_THAT(advice(4400, {.max_num_batched_tokens = 64}), Not(HasSubstr("--max-num-batched-tokens")));
}

TEST(MemoryAdvice, AKvCacheThatWasAskedForIsMadeToFit) {
  EXPECT_THAT(advice(5400, {.max_model_len = 8192}),
              HasSubstr("--kv-cache-dtype int8 (a sequence of full length takes 256 MiB of KV cache then)"));
  EXPECT_THAT(advice(5400, {.max_model_len = 8192, .kv_cache_dtype = KvCacheDtype::kInt8}),
              Not(HasSubstr("--kv-cache-dtype")));
  EXPECT_THAT(advice(5400, {.kv_cache_memory = 4000 * kMebibyte}), HasSubstr("no --kv-cache-memory (it is "));
}

TEST(MemoryAdvice, HowLargeAModelMayBe) {
  const EngineConfig config = with_step_sizes({}, CpuDevice(1));
  const MemoryPlan tight =
      plan_memory({.device = {.bytes = 1000 * kMebibyte, .bound_by = "the system"}}, memory_of(config), config);
  EXPECT_EQ(smaller_model(tight, kSmaller),
            "a model of at most 750 million parameters as Q4_K_M (this one's weights take about 1.5 GiB as Q4_K_M)");
  const MemoryPlan none =
      plan_memory({.device = {.bytes = 500 * kMebibyte, .bound_by = "the system"}}, memory_of(config), config);
  EXPECT_THAT(smaller_model(none, kSmaller), IsEmpty());
}

/// Llama 3.1 8B, whose files as Q4_K_M are known to have 4.89 bits a parameter, 6.56 as Q6_K and 8.50 as Q8_0.
TEST(MemoryAdvice, TypesAreAsLargeAsPublishedFiles) {
  constexpr int64_t kHidden = 4096, kKv = 1024, kWide = 14'336, kVocabulary = 128'256;
  CpuDevice device(1);
  model::WeightLayout weights;
  double parameters = 0;
  const auto matrix = [&](std::initializer_list<int64_t> rows, int64_t in) {
    std::vector<model::MatrixLayout::Part> parts;
    for (const int64_t count : rows) {
      parts.push_back({nullptr, DType::kBF16, count});
      parameters += static_cast<double>(count * in);
    }
    return model::MatrixLayout(device, std::move(parts), in);
  };
  weights.embedding = matrix({kVocabulary}, kHidden);
  weights.lm_head = matrix({kVocabulary}, kHidden);
  for (int i = 0; i < 32; ++i) {
    model::LayerLayout& layer = weights.layers.emplace_back();
    layer.qkv = matrix({kHidden, kKv, kKv}, kHidden);
    layer.attn_out = matrix({kHidden}, kHidden);
    layer.gate_up = matrix({kWide, kWide}, kHidden);
    layer.down = matrix({kHidden}, kWide);
  }
  weights.bytes = static_cast<size_t>(2 * parameters);
  const auto bits = [&](const Quantization& type) { return static_cast<double>(type.bytes) * 8 / parameters; };
  const std::vector<Quantization> smaller = smaller_quantizations(device, weights);
  ASSERT_EQ(smaller.size(), 4U);
  EXPECT_NEAR(bits(smaller[0]), 8.50, 0.02) << smaller[0].name;
  EXPECT_NEAR(bits(smaller[1]), 6.56, 0.02) << smaller[1].name;
  EXPECT_NEAR(bits(smaller[2]), 5.70, 0.05) << smaller[2].name;
  EXPECT_NEAR(bits(smaller[3]), 4.89, 0.05) << smaller[3].name;
}

}  // namespace
}  // namespace caravel::engine
