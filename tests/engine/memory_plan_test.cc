#include "engine/memory_plan.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "engine/choose_sizes.h"

namespace caravel::engine {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

/// Keys and values of 64 KiB a token in blocks of 1 MiB: a sequence of 8,192 tokens takes 512 MiB.
ModelMemory model(int64_t weights = 100 * kMiB) {
  return {.weights = weights,
          .activations = 20 * kMiB,
          .kv = {.groups = {{.window = 0, .layers = {0, 1, 2, 3}}}, .layers_per_group = 4, .layer_bytes = kMiB / 4},
          .full_model_len = 8192};
}

/// As a CPU's steps are, where the test says nothing of them.
EngineConfig with_steps(const EngineConfig& config) { return with_step_sizes(config, CpuDevice(1)); }

MemoryPlan plan(int64_t mebibytes, const EngineConfig& config = {}, const ModelMemory& of = model()) {
  return plan_memory({.device = {.bytes = mebibytes * kMiB, .bound_by = "control group /x"}}, of, with_steps(config));
}

std::string refusal(int64_t mebibytes, const EngineConfig& config = {}, const ModelMemory& of = model()) {
  try {
    plan(mebibytes, config, of);
  } catch (const CapacityError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MemoryPlan, PartsNeverAddUpToMoreThanThereIs) {
  for (const int64_t mebibytes : {200, 250, 300, 500, 1000, 2000, 4000, 16'000, 64'000, 1'000'000}) {
    for (const int64_t kv : {int64_t{0}, 16 * kMiB}) {
      const MemoryPlan made = plan(mebibytes, {.kv_cache_memory = kv});
      EXPECT_GE(made.left(), 0) << mebibytes;
      for (const auto& [name, bytes] : made.parts()) EXPECT_GE(bytes, 0) << name << " of " << mebibytes;
      EXPECT_GT(made.bodies, 0);
      EXPECT_GE(made.kv_cache, 2 * kMiB);
      EXPECT_EQ(made.max_model_len, std::min<int64_t>(8192, made.kv_cache / kMiB * 16)) << mebibytes;
      if (kv != 0) {
        EXPECT_EQ(made.kv_cache, kv);
      }
    }
  }
}

TEST(MemoryPlan, MoreMemoryIsNeverASmallerPart) {
  MemoryPlan before = plan(200);
  for (int64_t mebibytes = 201; mebibytes < 40'000; mebibytes += 1 + mebibytes / 50) {
    const MemoryPlan now = plan(mebibytes);
    EXPECT_GE(now.kv_cache, before.kv_cache) << mebibytes;
    EXPECT_GE(now.bodies, before.bodies) << mebibytes;
    EXPECT_GE(now.max_model_len, before.max_model_len) << mebibytes;
    before = now;
  }
}

TEST(MemoryPlan, OneSequenceOfFullLengthComesBeforeModesty) {
  const MemoryPlan tight = plan(700);
  EXPECT_TRUE(tight.lowers_context());
  EXPECT_EQ(tight.full_model_len, 8192);
  EXPECT_EQ(tight.kv_full, 512 * kMiB);
  EXPECT_GT(tight.max_model_len, 3000);
  const MemoryPlan enough = plan(1600);
  EXPECT_FALSE(enough.lowers_context());
  EXPECT_LT(enough.kv_cache, 530 * kMiB);
  EXPECT_GT(enough.left(), 50 * kMiB);
  const MemoryPlan much = plan(24'000);
  EXPECT_GT(much.kv_cache, 4000 * kMiB);
  EXPECT_LT(much.kv_cache, 6000 * kMiB);
}

TEST(MemoryPlan, NoMoreThanTheSequencesNeed) {
  const MemoryPlan made = plan(1'000'000, {.max_num_seqs = 2});
  EXPECT_GE(made.kv_cache, 2 * 512 * kMiB);
  EXPECT_LE(made.kv_cache, 2 * 530 * kMiB);
}

TEST(MemoryPlan, WindowsHoldLongContextsInLittle) {
  ModelMemory windowed = model();
  windowed.kv.groups = {{.window = 0, .layers = {0}}, {.window = 512, .layers = {1}}, {.window = 512, .layers = {2}}};
  windowed.kv.layers_per_group = 1;
  windowed.kv.layer_bytes = kMiB / 16;
  const MemoryPlan made = plan(300, {}, windowed);
  EXPECT_FALSE(made.lowers_context());
  EXPECT_LE(made.kv_full, 40 * kMiB);
}

TEST(MemoryPlan, AModelThatDoesNotFitGetsNothing) {
  const MemoryPlan made = plan(160, {.kv_cache_memory = 500 * kMiB});
  EXPECT_FALSE(made.fits());
  EXPECT_EQ(made.needed(), (100 + 20 + 48 + 2) * kMiB);
  EXPECT_EQ(made.left(), (160 - 100 - 20 - 48) * kMiB);
  EXPECT_EQ(made.kv_cache, 0);
  EXPECT_FALSE(made.lowers_context());
  EXPECT_EQ(
      shortage_text(made),
      "the model needs 170 MiB of memory, and 160 MiB are available (control group /x): its weights take 100 MiB, "
      "a step 20 MiB, the program 48 MiB, the smallest KV cache 2.0 MiB");
  EXPECT_TRUE(plan(200).fits());
}

TEST(MemoryPlan, ADeviceOfItsOwnMemoryHoldsTheModelAndTheHostTheRest) {
  const auto apart = [](int64_t mebibytes, int64_t of_host, const EngineConfig& config = {}) {
    return plan_memory({.device = {.bytes = mebibytes * kMiB, .bound_by = "a GPU"},
                        .host = AvailableMemory{.bytes = of_host * kMiB, .bound_by = "the system"}},
                       model(), with_steps(config));
  };
  const MemoryPlan made = apart(1000, 4000);
  EXPECT_TRUE(made.apart());
  EXPECT_EQ(made.needed(), (100 + 20 + 2) * kMiB);
  EXPECT_EQ(made.kv_cache, 880 * kMiB);
  EXPECT_EQ(made.left(), 0);
  EXPECT_EQ(made.swap, 256 * kMiB);
  EXPECT_EQ(made.host_left(), 4000 * kMiB - made.program - made.bodies - made.grammars - made.logprobs - made.swap);
  EXPECT_LE(apart(1'000'000, 4000, {.max_num_seqs = 2}).kv_cache, 2 * 530 * kMiB);
  EXPECT_EQ(apart(1000, 80).kv_cache, made.kv_cache);
  EXPECT_LT(apart(1000, 80).swap, 5 * kMiB);
  EXPECT_FALSE(apart(121, 4000).fits());
}

TEST(MemoryPlan, RefusesWithTheNumbers) {
  EXPECT_THAT(refusal(300, {.kv_cache_memory = 200 * kMiB}),
              HasSubstr("kv_cache_memory is 200 MiB; 132 MiB of memory are available"));
  EXPECT_THAT(refusal(4000, {.kv_cache_memory = kMiB}), HasSubstr("hold 1 blocks"));
  const std::string asked = refusal(400, {.max_model_len = 8192});
  EXPECT_THAT(asked, HasSubstr("max_model_len is 8192, for which the KV cache needs 512 MiB"));
  EXPECT_THAT(asked, HasSubstr("control group /x"));
  EXPECT_EQ(plan(400).max_model_len, plan(400, {.max_model_len = 0}).max_model_len);
}

/// Of a GPU of its own: 32 layers of 40 MiB, and 20 MiB beside them.
MemoryPlan plan_apart(int64_t device, int64_t host, const EngineConfig& config = {}) {
  ModelMemory of = model(1300 * kMiB);
  of.layers.assign(32, 40 * kMiB);
  return plan_memory({.device = {.bytes = device * kMiB, .bound_by = "a GPU"},
                      .host = AvailableMemory{.bytes = host * kMiB, .bound_by = "the system"}},
                     of, with_steps(config));
}

TEST(MemoryPlan, NothingIsStreamedToADeviceThatHasRoom) {
  const MemoryPlan made = plan_apart(1400, 4000);
  EXPECT_TRUE(made.fits());
  EXPECT_EQ(made.streamed, 0);
  EXPECT_EQ(made.weights, 1300 * kMiB);
}

TEST(MemoryPlan, LayersAreStreamedThatLeaveRoomForAFullSequence) {
  const MemoryPlan made = plan_apart(1300, 4000);
  EXPECT_TRUE(made.fits());
  EXPECT_FALSE(made.lowers_context());
  // 1,300 MiB and 20 of activations and 512 of KV cache are 532 too many: 16 layers go, and two come back as slots.
  EXPECT_EQ(made.streamed_layers, 16);
  EXPECT_EQ(made.streamed, 16 * 40 * kMiB);
  EXPECT_EQ(made.weights, (1300 - 14 * 40) * kMiB);
  EXPECT_GE(made.left(), 0);
  EXPECT_GE(made.host_left(), 0);
  EXPECT_EQ(made.of_host() - made.streamed, made.program + made.bodies + made.grammars + made.logprobs + made.swap);
}

TEST(MemoryPlan, WhereAllLayersAreStreamedTheContextIsLowered) {
  const MemoryPlan made = plan_apart(300, 4000);
  EXPECT_TRUE(made.fits());
  EXPECT_EQ(made.streamed_layers, 32);
  EXPECT_TRUE(made.lowers_context());
  EXPECT_FALSE(plan_apart(110, 4000).fits());
}

TEST(MemoryPlan, AsMuchIsStreamedAsWasGiven) {
  EXPECT_EQ(plan_apart(8000, 4000, {.weight_offload = 1}).streamed_layers, 4) << "two would only fill the slots";
  EXPECT_EQ(plan_apart(8000, 4000, {.weight_offload = 240 * kMiB}).streamed_layers, 6);
  EXPECT_EQ(plan_apart(8000, 4000, {.weight_offload = 241 * kMiB}).streamed_layers, 8);
  EXPECT_EQ(plan_apart(8000, 4000, {.weight_offload = 99'000 * kMiB}).streamed_layers, 32);
  const MemoryPlan none = plan_apart(1300, 4000, {.weight_offload = 0});
  EXPECT_FALSE(none.fits());
  EXPECT_EQ(none.streamed, 0);
}

TEST(MemoryPlan, WhatTheHostCannotHoldIsRefusedWithTheSum) {
  const MemoryPlan made = plan_apart(300, 1000);
  EXPECT_FALSE(made.fits());
  EXPECT_THAT(shortage_text(made), HasSubstr("the host's memory has 1000 MiB (the system), and would hold 1.2 GiB of "
                                             "streamed layers"));
  EXPECT_THAT(shortage_text(plan_apart(110, 4000)), HasSubstr("beside 1.2 GiB that are streamed from the host"));
}

TEST(MemoryPlan, TheCpusLayersHaveTheirPartOfEachBlock) {
  ModelMemory of = model();
  of.on_cpu = 300 * kMiB;
  of.cpu_block = kMiB / 2;
  const auto plan_of = [&](int64_t host, const EngineConfig& config = {}) {
    return plan_memory({.device = {.bytes = 4000 * kMiB, .bound_by = "a GPU"},
                        .host = AvailableMemory{.bytes = host * kMiB, .bound_by = "the system"}},
                       of, with_steps(config));
  };
  for (const int64_t host : {400, 700, 1500, 20'000}) {
    const MemoryPlan made = plan_of(host);
    EXPECT_TRUE(made.fits()) << host;
    EXPECT_EQ(made.cpu_layers, of.on_cpu + made.kv_cache / 2) << host;
    EXPECT_GE(made.host_left(), 0) << host;
    EXPECT_GE(made.left(), 0) << host;
  }
  EXPECT_TRUE(plan_of(400).lowers_context());
  EXPECT_FALSE(plan_of(20'000).lowers_context());
  EXPECT_FALSE(plan_of(340).fits());
  EXPECT_THROW(plan_of(400, {.kv_cache_memory = 2000 * kMiB}), CapacityError);
}

TEST(MemoryPlan, StreamedLayersAreSpreadEvenly) {
  EXPECT_EQ(streamed_layers(8, 4), (std::vector<size_t>{0, 2, 4, 6}));
  EXPECT_EQ(streamed_layers(7, 4), (std::vector<size_t>{0, 1, 3, 5}));
  EXPECT_EQ(streamed_layers(3, 3), (std::vector<size_t>{0, 1, 2}));
  EXPECT_TRUE(streamed_layers(5, 0).empty());
}

}  // namespace
}  // namespace caravel::engine
