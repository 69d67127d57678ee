// Steps in flight: launched before the ones before them are collected, they give what they give one by one.

#include "engine/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
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

enum class Swaps : uint8_t { kNone, kRewrittenInTheStep, kRewrittenInTheNext, kBesideOthers };

/// Three answers, of which the first is swapped out in the second step and in again in the fourth; others get its
/// blocks meanwhile, or none does.
std::vector<StepOutput> run_swapped(std::unique_ptr<Device> device, Swaps swaps) {
  const LoadedModel model =
      load_model(small_config(), nullptr,
                 {.open_device = [&](const EngineConfig&) { return std::move(device); }, .steps_in_flight = 2});
  Rank& rank = *model.rank;
  Answers answers(1);
  std::vector<StepOutput> outputs;
  for (uint64_t number = 1; number <= 5; ++number) {
    StepInput input{.number = number};
    DrawInput draws{.number = number};
    switch (number) {
      case 1:
        answers.prefill(0, 40, {}, input, draws);  // blocks 0, 1 and 2
        break;
      case 2:
        answers.prefill(1, 30, {}, input, draws);  // 3 and 4
        if (swaps == Swaps::kNone) break;
        input.swap_outs = {{.from = 0, .to = 5}, {.from = 1, .to = 6}, {.from = 2, .to = 2}};
        if (swaps == Swaps::kRewrittenInTheStep) input.entries[1].block = 2;
        break;
      case 3:
        answers.prefill(2, 20, {}, input, draws);  // 5 and 6
        if (swaps == Swaps::kRewrittenInTheNext) input.entries[0].block = 0;
        break;
      case 4:
        answers.decode(0, last_draw_of(0), input, draws);
        if (swaps == Swaps::kNone) break;
        input.swap_ins = {{.from = 5, .to = 20}, {.from = 6, .to = 12}, {.from = 2, .to = 13}};
        input.entries = {{.slot = 0, .index = 0, .block = 20},
                         {.slot = 0, .index = 1, .block = 12},
                         {.slot = 0, .index = 2, .block = 13}};
        break;
      default:
        for (const int slot : {0, 1, 2}) answers.decode(slot, last_draw_of(slot), input, draws);
    }
    rank.launch(input);
    rank.launch(draws);
    if (number > 1) outputs.push_back(rank.collect());
  }
  outputs.push_back(rank.collect());
  return outputs;
}

/// Blocks go out before they are written anew, and are in before they are read, though the copies run beside steps: on
/// a device of which nothing runs before it is waited for, and on the one that is tested.
TEST(Rank, SwapsAndStepsAreInOrder) {
  const std::vector<std::pair<std::string, std::function<std::unique_ptr<Device>()>>> devices = {
      {"deferred", [] { return std::make_unique<DeferredDevice>(1); }},
      {"tested", [] { return open_test_device(small_config()); }}};
  for (const auto& [name, open] : devices) {
    const std::vector<StepOutput> expected = run_swapped(open(), Swaps::kNone);
    for (const Swaps swaps : {Swaps::kRewrittenInTheStep, Swaps::kRewrittenInTheNext, Swaps::kBesideOthers}) {
      expect_same(run_swapped(open(), swaps), expected, name + ", way " + std::to_string(static_cast<int>(swaps)));
    }
  }
}

}  // namespace
}  // namespace caravel::engine
