// A part of a model: what a rank has of it, what it reads, and that all ranks together are the whole.

#include "model/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

#include "base/error.h"
#include "comm/thread_group.h"
#include "device/deferred_device.h"
#include "fixtures.h"
#include "memory_source.h"
#include "model/weight_layout.h"
#include "model_harness.h"
#include "tiny_experts.h"

namespace caravel::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ModelConfig config_at(const format::WeightSource& source, const Placement& placement) {
  ModelConfig config = read_config(source);
  config.placement = placement;
  return config;
}

template <typename E>
std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

void expect_slice(const Slice& slice, int64_t whole, int64_t begin, int64_t end) {
  EXPECT_EQ(slice.whole, whole);
  EXPECT_EQ(slice.begin, begin);
  EXPECT_EQ(slice.end, end);
}

TEST(Shard, AloneItIsTheWholeModel) {
  const Shard shard = shard_of(read_config(make_tiny_llama()));
  for (const Slice& slice : {shard.layers, shard.heads, shard.kv_heads, shard.intermediate, shard.vocabulary}) {
    EXPECT_TRUE(slice.is_all());
    EXPECT_GT(slice.whole, 0);
  }
}

TEST(Shard, RanksHaveEqualPartsAndReplicateKvHeads) {
  const MemorySource source = make_tiny_llama();  // 4 heads, 2 of K and V, 96, a vocabulary of 50, 2 layers
  const Shard half = shard_of(config_at(source, {.tensor_rank = 1, .tensor_ranks = 2, .stage = 1, .stages = 2}));
  expect_slice(half.layers, 2, 1, 2);
  expect_slice(half.heads, 4, 2, 4);
  expect_slice(half.kv_heads, 2, 1, 2);
  expect_slice(half.intermediate, 96, 48, 96);
  expect_slice(half.vocabulary, 50, 25, 50);
  const Shard quarter = shard_of(config_at(source, {.tensor_rank = 1, .tensor_ranks = 4}));
  expect_slice(quarter.heads, 4, 1, 2);
  expect_slice(quarter.kv_heads, 2, 0, 1);  // which rank 0 has too
  expect_slice(quarter.vocabulary, 50, 12, 25);
}

TEST(Shard, StagesMayHaveLayersAsGiven) {
  ModelConfig config;
  config.layers.resize(7);
  config.num_heads = config.num_kv_heads = 1;
  config.placement = {.stage = 1, .stages = 3, .stage_layers = {1, 4, 2}};
  expect_slice(shard_of(config).layers, 7, 1, 5);
  config.placement.stage = 2;
  expect_slice(shard_of(config).layers, 7, 5, 7);
}

TEST(Shard, WhatCannotBeSplitIsRefusedWithWhatCan) {
  const MemorySource source = make_tiny_llama();
  EXPECT_THAT(error_of<Unsupported>([&] { shard_of(config_at(source, {.tensor_ranks = 3})); }),
              AllOf(HasSubstr("3 tensor-parallel ranks"), HasSubstr("4 attention heads"), HasSubstr("96"),
                    HasSubstr("can: 1, 2, 4")));
  EXPECT_THAT(error_of<Unsupported>([&] { shard_of(config_at(source, {.stages = 3})); }),
              AllOf(HasSubstr("3 stages"), HasSubstr("it has 2")));
}

// Each rank would divide by the mean of its own heads' squares.
TEST(Shard, HeadsThatAreNormedTogetherAreNotShared) {
  ModelConfig config = read_config(*format::open_weights(tests::model_fixture("olmo2")));
  config.placement.stages = 2;
  shard_of(config);
  config.placement.tensor_ranks = 2;
  EXPECT_THAT(error_of<Unsupported>([&] { shard_of(config); }),
              AllOf(HasSubstr("2 tensor-parallel ranks"), HasSubstr("olmo2"), HasSubstr("stages")));
}

TEST(Shard, RanksSplitEveryExpertAndEachHasTheWholeRouter) {
  const MemorySource source = make_tiny_experts();  // experts of 32, and 64 that every token has
  const ModelConfig config = config_at(source, {.tensor_rank = 1, .tensor_ranks = 2});
  expect_slice(shard_of(config).expert_intermediate, 32, 16, 32);
  expect_slice(shard_of(config).shared_intermediate, 64, 32, 64);
  CpuDevice device(1);
  const LayerLayout layer = weight_layout(device, source, config).layers[1];
  EXPECT_EQ(layer.router.out(), kTinyExperts + 1);
  EXPECT_EQ(layer.expert_gate_up.out(), 32);
  EXPECT_EQ(layer.expert_down.in(), 16);
  EXPECT_EQ(layer.down.in(), 32);
  MemorySource odd = make_tiny_experts();
  odd.config()["moe_intermediate_size"] = 33;
  EXPECT_THAT(error_of<Unsupported>([&] { shard_of(config_at(odd, {.tensor_ranks = 2})); }),
              AllOf(HasSubstr("an intermediate size of 96"), HasSubstr("experts of 33"),
                    HasSubstr("shared experts of 64"), HasSubstr("can: 1")));
}

TEST(Shard, BlocksAreNotCut) {
  MemorySource source = make_tiny_llama();
  const std::string name = "model.layers.1.mlp.down_proj.weight";
  source.add(name, {64, 96}, DType::kQ8_0, std::vector<std::byte>(64 * 3 * 34));
  CpuDevice device(1);
  const auto layout_at = [&](const Placement& placement) {
    return weight_layout(device, source, config_at(source, placement));
  };
  EXPECT_THAT(error_of<Unsupported>([&] { layout_at({.tensor_rank = 1, .tensor_ranks = 2}); }),
              AllOf(HasSubstr(name), HasSubstr("96"), HasSubstr("Q8_0"), HasSubstr("blocks of 32"),
                    HasSubstr("48 from 48 on"), HasSubstr("multiple of 32")));
  EXPECT_NO_THROW(layout_at({.tensor_rank = 1, .tensor_ranks = 2, .stage = 0, .stages = 2})) << "that layer is not its";
}

TEST(Shard, NoMoreIsReadThanItsOwnBytes) {
  const MemorySource source = make_tiny_llama();
  CpuDevice device(1);
  DeviceSink sink(device);
  const ModelConfig config = config_at(source, {.tensor_rank = 1, .tensor_ranks = 2, .stage = 1, .stages = 2});
  const ModelWeights weights = load_weights(sink, source, config);
  ASSERT_EQ(weights.layers.size(), 1U);
  EXPECT_EQ(weights.layers[0].qkv.out(), 64);
  EXPECT_EQ(weights.layers[0].down.in(), 48);
  for (const auto& [name, times] : source.mapped()) EXPECT_FALSE(name.starts_with("model.layers.0.")) << name;
  // The tied head's rows, three norms, and of the layer half of every matrix: of those that are split along their rows'
  // elements from the first to the last, what lies between them included.
  const int64_t rows = 25 * 64 + 3 * 64 + (32 + 16 + 16) * 64 + 2 * 48 * 64;
  const int64_t columns = (63 * 64 + 32) + (63 * 96 + 48);
  EXPECT_EQ(source.mapped_bytes(), static_cast<uint64_t>(4 * (rows + columns)));
}

/// The logits of chunks, by as many decoders as there are places, each on a thread of its own.
std::vector<std::vector<float>> logits_of(const format::WeightSource& source, int tensor_ranks, int stages) {
  std::vector<std::unique_ptr<comm::ThreadGroup>> of_stage, of_rank;
  for (int stage = 0; stage < stages; ++stage) of_stage.push_back(std::make_unique<comm::ThreadGroup>(tensor_ranks));
  for (int rank = 0; rank < tensor_ranks; ++rank) of_rank.push_back(std::make_unique<comm::ThreadGroup>(stages));
  std::vector<std::vector<std::vector<float>>> results(static_cast<size_t>(tensor_ranks));
  std::vector<std::thread> threads;
  for (int stage = 0; stage < stages; ++stage) {
    for (int rank = 0; rank < tensor_ranks; ++rank) {
      threads.emplace_back([&, stage, rank] {
        ModelHarness::Options options{
            .threads = 1,
            .placement = {.tensor_rank = rank, .tensor_ranks = tensor_ranks, .stage = stage, .stages = stages}};
        if (tensor_ranks > 1) options.peers.tensor = &of_stage[static_cast<size_t>(stage)]->member(rank);
        if (stages > 1) options.peers.pipeline = &of_rank[static_cast<size_t>(rank)]->member(stage);
        ModelHarness model(source, options);
        for (const std::vector<int32_t>& tokens : {std::vector<int32_t>{7, 8, 9, 49, 0, 12, 13}, {25}, {24, 3}}) {
          auto logits = model.step(std::vector<ModelHarness::Chunk>{{0, tokens}});
          if (stage + 1 < stages) continue;
          auto& all = results[static_cast<size_t>(rank)];
          std::ranges::move(logits, std::back_inserter(all));
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& of_this : results) EXPECT_EQ(of_this, results[0]) << "every rank of the last stage has all of them";
  return results[0];
}

void expect_near(const std::vector<std::vector<float>>& got, const std::vector<std::vector<float>>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t row = 0; row < got.size(); ++row) {
    ASSERT_EQ(got[row].size(), expected[row].size());
    for (size_t i = 0; i < got[row].size(); ++i) {
      ASSERT_NEAR(got[row][i], expected[row][i], 256 * std::ldexp(1.0, -24) * 8) << row << ", " << i;
    }
  }
}

// Two ranks with a KV head each, and four of which two have the same; vocabularies of 12 and 13.
TEST(Shard, RanksTogetherAreTheWholeModel) {
  if (tests_a_gpu()) GTEST_SKIP() << "ranks on GPUs exchange nothing yet";
  MemorySource source = make_tiny_llama();
  for (const char* bias :
       {"self_attn.q_proj.bias", "self_attn.o_proj.bias", "mlp.down_proj.bias", "mlp.gate_proj.bias"}) {
    const bool wide = std::string_view(bias).find("gate") != std::string_view::npos;
    source.add_random(std::string("model.layers.1.") + bias, {wide ? 96 : 64});
  }
  for (const bool tied : {true, false}) {
    if (!tied) source.add_random("lm_head.weight", {50, 64});
    const auto expected = logits_of(source, 1, 1);
    EXPECT_EQ(logits_of(source, 1, 2), expected) << "stages change no bit";
    expect_near(logits_of(source, 2, 1), expected);
    expect_near(logits_of(source, 4, 1), expected);
    expect_near(logits_of(source, 2, 2), expected);
  }
}

}  // namespace
}  // namespace caravel::model
