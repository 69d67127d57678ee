// Steps in flight: launched before the ones before them are collected, they give what they give one by one.

#include "engine/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/deferred_device.h"
#include "engine/steps.h"

namespace caravel::engine {
namespace {

TEST(Rank, StepsInFlightGiveWhatTheyGiveOneByOne) {
  const auto steps_of_rank = [](int in_flight) {
    const LoadedModel model = load_model(small_config("gemma3"), nullptr, load_hooks(in_flight));
    return run_steps(*model.rank, static_cast<int>(model.rank->decoder().kv_layout().groups.size()), in_flight);
  };
  const std::vector<StepOutput> expected = steps_of_rank(1);
  ASSERT_EQ(expected.size(), 10U);
  EXPECT_EQ(expected[5].drawn.size(), 4U);
  EXPECT_GE(expected[5].drawn[3].token, 64 + 4);  // as its mask says
  EXPECT_LT(expected[5].drawn[3].token, 64 + 8);
  EXPECT_FALSE(expected[1].states.empty());
  for (const int in_flight : {2, 4}) {
    expect_same(steps_of_rank(in_flight), expected, std::to_string(in_flight) + " in flight");
  }
}

/// A device whose memory comes to an end.
class ScarceDevice final : public CpuDevice {
 public:
  explicit ScarceDevice(bool& exhausted) : CpuDevice(1), exhausted_(exhausted) {}
  Buffer allocate(size_t bytes) override {
    if (exhausted_) throw CapacityError("no memory is left");
    return CpuDevice::allocate(bytes);
  }

 private:
  const bool& exhausted_;
};

TEST(Rank, WhatFailsTakesNoStepBeforeItAlong) {
  bool exhausted = false;
  const LoadedModel model =
      load_model(small_config(), nullptr,
                 {.open_device = [&](const EngineConfig&) { return std::make_unique<ScarceDevice>(exhausted); },
                  .steps_in_flight = 2});
  Rank& rank = *model.rank;
  Answers answers(1);
  StepInput input{.number = 1};
  DrawInput draws{.number = 1};
  answers.prefill(0, 20, {}, input, draws);
  rank.launch(input);
  rank.launch(draws);
  input.clear();
  draws.clear();
  input.number = draws.number = 2;
  answers.decode(0, last_draw_of(0), input, draws);
  rank.launch(input);
  draws.keeps.push_back({.place = 0, .kept = 0});
  exhausted = true;
  EXPECT_THROW(rank.launch(draws), CapacityError);
  exhausted = false;
  EXPECT_EQ(rank.collect().number, 1U);
  draws.keeps.clear();
  input.number = draws.number = 3;
  input.entries.clear();
  rank.launch(input);
  rank.launch(draws);
  const StepOutput& again = rank.collect();
  EXPECT_EQ(again.number, 3U);
  EXPECT_EQ(again.drawn.size(), 1U);
}

/// The log-probabilities of a prompt of 100 tokens, and how often its step read the LM head.
std::pair<StepOutput, int64_t> all_wants(std::unique_ptr<Device> device) {
  EngineConfig config = small_config();
  config.max_num_seqs = 100;
  config.profile = Profile::kRegions;
  const LoadedModel model =
      load_model(config, nullptr, {.open_device = [&](const EngineConfig&) { return std::move(device); }});
  Rank& rank = *model.rank;
  Answers answers(1);
  StepInput input{.number = 1};
  DrawInput draws{.number = 1};
  answers.prefill(0, 100, {}, input, draws);
  draws.clear();
  draws.number = 1;
  for (int32_t i = 0; i < 100; ++i) input.wants.push_back({.place = i, .token = i, .top = 2});
  rank.launch(input);
  rank.launch(draws);
  StepOutput output = rank.collect();
  const std::span<const RegionTime> profile = rank.profile();
  const auto head = std::ranges::find(profile, std::string_view("LM head"), &RegionTime::name);
  return {std::move(output), head == profile.end() ? 0 : head->runs};
}

TEST(Rank, OfManySequencesMemoryOfItsOwnHoldsAllLogits) {
  const auto [expected, reads] = all_wants(std::make_unique<CpuDevice>(1));
  ASSERT_EQ(expected.wanted.size(), 100U);
  EXPECT_EQ(reads, 2);
  const auto [got, reads_apart] = all_wants(std::make_unique<DeferredDevice>(1));
  EXPECT_EQ(reads_apart, 1);
  expect_same({got}, {expected}, "a device with memory of its own");
}

}  // namespace
}  // namespace caravel::engine
