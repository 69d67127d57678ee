// What the headers say of memory, against what loading takes.

#include "model/weight_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "comm/thread_group.h"
#include "device/cpu/cpu_device.h"
#include "fixtures.h"
#include "format/model_path.h"
#include "memory_source.h"
#include "model/arch/architecture.h"
#include "model/decoder.h"

namespace caravel::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kMebibyte = 1 << 20;
constexpr int kMaxTokens = 64;
constexpr int kMaxContext = 128;

void expect_as_planned(const format::WeightSource& source, const ModelConfig& config, const Peers& peers = {}) {
  CpuDevice device(2);
  const WeightLayout layout = weight_layout(device, source, config);
  DeviceSink sink(device);
  const auto weights = std::make_shared<const ModelWeights>(load_weights(sink, source, config));
  const Decoder decoder(device, config, weights, kv_layout(device, config, 16, kernels::KvDtype::kF16), kMaxTokens,
                        kMaxContext, peers);
  EXPECT_EQ(layout.bytes, weights->bytes) << source.path();
  EXPECT_EQ(Decoder::activation_bytes(device, config, layout, kMaxTokens, kMaxContext), decoder.activation_bytes())
      << source.path();
}

TEST(WeightLayout, IsWhatLoadingTakesForEveryFixture) {
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(tests::fixtures() + "/models")) {
    const std::string path = entry.path().string();
    if (path.ends_with("-00002-of-00002.gguf")) continue;
    const auto source = format::open_weights(path);
    if (names_encoder(*source)) continue;  // the engine's test of encoders holds the same of them
    for (const Quantization quantization : {Quantization::kNone, Quantization::kQ8_0, Quantization::kFp8}) {
      ModelConfig config = read_config(*source);
      config.quantization = quantization;
      expect_as_planned(*source, config);
    }
    ++models;
  }
  EXPECT_GE(models, 27);
}

TEST(WeightLayout, IsWhatLoadingAShardTakes) {
  CpuDevice device(1);
  for (const char* name : {"llama", "llama_tied", "gemma3", "qwen2_moe", "gpt_oss", "gpt_oss_bf16", "deepseek_v3"}) {
    const auto source = format::open_weights(tests::model_fixture(name));
    ModelConfig config = read_config(*source);
    const size_t whole = weight_layout(device, *source, config).bytes;
    for (const Placement& placement : {Placement{.tensor_ranks = 2}, Placement{.stage = 1, .stages = 2},
                                       Placement{.tensor_rank = 1, .tensor_ranks = 2, .stage = 0, .stages = 2}}) {
      comm::ThreadGroup pair(2);
      Peers peers;
      if (placement.tensor_ranks > 1) peers.tensor = &pair.member(placement.tensor_rank);
      if (placement.stages > 1) peers.pipeline = &pair.member(placement.stage);
      config.placement = placement;
      expect_as_planned(*source, config, peers);
      EXPECT_LT(weight_layout(device, *source, config).bytes, whole * 3 / 4);
    }
  }
}

TEST(WeightLayout, ANormOfOneHeadIsNoneOfAWholeRow) {
  CpuDevice device(1);
  const auto source = format::open_weights(tests::model_fixture("olmo2"));
  ModelConfig config = read_config(*source);
  config.qk_norm_rows = false;
  try {
    weight_layout(device, *source, config);
    ADD_FAILURE() << "laid out";
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("q_norm.weight is [32]"), HasSubstr("must be [8]")));
  }
}

TEST(WeightLayout, AStackOfQuantisedAndOthersCountsAsF32) {
  CpuDevice device(1);
  MemorySource source = make_tiny_llama();
  const size_t before = weight_layout(device, source, read_config(source)).bytes;
  const std::vector<std::byte> blocks(64 * 64 / 32 * 34);
  source.add("model.layers.0.self_attn.q_proj.weight", {64, 64}, DType::kQ8_0, blocks);
  EXPECT_EQ(weight_layout(device, source, read_config(source)).bytes, before);
  EXPECT_TRUE(source.mapped().empty()) << "nothing was read";
}

/// Bytes of memory that only this process has.
int64_t own_memory() {
  std::ifstream status("/proc/self/status");
  std::string name;
  for (int64_t kibibytes = 0; status >> name;) {
    if (name == "RssAnon:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

class WeightLayoutOf : public testing::TestWithParam<const char*> {};

TEST_P(WeightLayoutOf, IsWhatTheProcessGrowsBy) {
  std::unique_ptr<format::WeightSource> source;
  try {
    source = format::open_weights(format::resolve_model(GetParam()));
  } catch (const NotFound& error) {
    GTEST_SKIP() << error.what();
  }
  const ModelConfig config = read_config(*source);
  CpuDevice device(2);
  const auto planned = static_cast<int64_t>(weight_layout(device, *source, config).bytes);
  DeviceSink sink(device);
  const int64_t before = own_memory();
  if (before == 0) GTEST_SKIP() << "the system does not tell";
  const ModelWeights weights = load_weights(sink, *source, config);
  const int64_t grown = own_memory() - before;
  EXPECT_EQ(weights.bytes, static_cast<size_t>(planned));
  // A huge page may be begun at the end of each chunk of 32 MiB.
  EXPECT_NEAR(static_cast<double>(grown), static_cast<double>(planned),
              0.02 * static_cast<double>(planned) + static_cast<double>(4 * kMebibyte));
}

INSTANTIATE_TEST_SUITE_P(RealModels, WeightLayoutOf, testing::Values("smollm2", "gemma3-270m"),
                         [](const auto& name) { return name.index == 0 ? "smollm2" : "gemma3"; });

}  // namespace
}  // namespace caravel::model
