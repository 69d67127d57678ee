// Steps in flight: launched before the ones before them are collected, they give what they give one by one.

#include "engine/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/deferred_device.h"
#include "engine/harness.h"
#include "sampler/token_bits.h"

namespace caravel::engine {
namespace {

constexpr int kBlock = 16;
constexpr int32_t kVocab = 320;

/// Answers, each in a slot of its own number with blocks of its own.
class Answers {
 public:
  explicit Answers(int groups) : groups_(groups) {}

  /// The prompt of `slot` in one row, and its first draw.
  void prefill(int32_t slot, int length, sampler::SamplingRules rules, StepInput& input, DrawInput& draws) {
    const std::vector<int32_t> prompt = random_tokens(static_cast<size_t>(length), static_cast<uint32_t>(slot));
    draws.begins.push_back({.slot = slot,
                            .rules = static_cast<int32_t>(draws.rules.size()),
                            .prompt_begin = static_cast<int32_t>(draws.prompts.size()),
                            .prompt_size = length});
    rules.max_tokens = 100;
    draws.rules.push_back(std::move(rules));
    draws.prompts.insert(draws.prompts.end(), prompt.begin(), prompt.end());
    add_row(slot, prompt, input, draws);
  }
  /// A row with `token`, and the draw behind it.
  void decode(int32_t slot, int32_t token, StepInput& input, DrawInput& draws) {
    add_row(slot, std::vector{token}, input, draws);
  }

 private:
  void add_row(int32_t slot, const std::vector<int32_t>& tokens, StepInput& input, DrawInput& draws) {
    int& length = lengths_[static_cast<size_t>(slot)];
    const StepRow row{.slot = slot, .first = length, .count = static_cast<int32_t>(tokens.size())};
    length += row.count;
    for (int i = (row.first + kBlock - 1) / kBlock; i * kBlock < length; ++i) {
      for (int g = 0; g < groups_; ++g) {
        input.entries.push_back({.slot = slot, .group = g, .index = i, .block = next_block_++});
      }
    }
    input.rows.push_back(row);
    input.tokens.insert(input.tokens.end(), tokens.begin(), tokens.end());
    input.shared_blocks.assign(input.rows.size() * static_cast<size_t>(groups_), 0);
    draws.draws.push_back({.place = static_cast<int32_t>(input.tokens.size()) - 1, .sampler = slot, .top = slot % 3});
  }

  const int groups_;
  int lengths_[64] = {};
  int32_t next_block_ = 0;
};

/// Runs ten steps of three answers; `in_flight` are launched before the first of them is collected, and what each step
/// reads is not known by then.
std::vector<StepOutput> run_steps(int in_flight) {
  const LoadedModel model = load_model(small_config("gemma3"), nullptr, load_hooks(in_flight));
  Rank& rank = *model.rank;
  Answers answers(static_cast<int>(rank.decoder().kv_layout().groups.size()));
  std::vector<StepOutput> outputs;
  uint64_t collected = 0;
  for (uint64_t number = 1; number <= 10; ++number) {
    StepInput input;
    DrawInput draws;
    input.number = draws.number = number;
    if (number == 1) {
      answers.prefill(0, 21, {}, input, draws);
      answers.prefill(1, 9, {.temperature = 1.0F, .repetition_penalty = 1.2F, .seed = 5}, input, draws);
    } else {
      answers.decode(0, last_draw_of(0), input, draws);
      answers.decode(1, last_draw_of(1), input, draws);
    }
    // One that joins, and whose slot begins anew while its last draw may be in flight.
    if (number == 3 || number == 7) {
      const auto slot = static_cast<int32_t>(number);
      answers.prefill(slot, 30, {.temperature = 0.8F, .seed = number}, input, draws);
      draws.begins.back().slot = draws.draws.back().sampler = 40;
    } else if (number > 3) {
      answers.decode(number < 7 ? 3 : 7, last_draw_of(40), input, draws);
      draws.draws.back().sampler = 40;
    }
    input.wants = {{.place = 0, .token = 7, .top = 4}, {.place = 1, .token = 9, .top = 0}};
    if (number % 2 == 0) input.states = {0, 1};
    // A draw whose mask is late: made of logits that were kept, two steps later.
    if (number == 4) draws.keeps.push_back({.place = 1, .kept = 3});
    if (number == 6) {
      draws.begins.push_back({.slot = 50, .rules = 0});
      draws.rules.push_back({.max_tokens = 5});
      draws.masks.assign(sampler::words_of(kVocab), 0);
      draws.masks[2] = 0xf0;
      draws.draws.push_back({.place = kept_logits(3), .sampler = 50, .mask = 0, .top = 2});
    }
    rank.launch(input);
    input.clear();
    rank.launch(draws);
    draws.clear();
    while (number - collected >= static_cast<uint64_t>(in_flight)) {
      outputs.push_back(rank.collect());
      ++collected;
    }
  }
  while (collected < 10) {
    outputs.push_back(rank.collect());
    ++collected;
  }
  return outputs;
}

TEST(Rank, StepsInFlightGiveWhatTheyGiveOneByOne) {
  const std::vector<StepOutput> expected = run_steps(1);
  ASSERT_EQ(expected.size(), 10U);
  EXPECT_EQ(expected[5].drawn.size(), 4U);
  EXPECT_GE(expected[5].drawn[3].token, 64 + 4);  // as its mask says
  EXPECT_LT(expected[5].drawn[3].token, 64 + 8);
  EXPECT_FALSE(expected[1].states.empty());
  for (const int in_flight : {2, 4}) {
    const std::vector<StepOutput> outputs = run_steps(in_flight);
    ASSERT_EQ(outputs.size(), expected.size());
    for (size_t s = 0; s < outputs.size(); ++s) {
      SCOPED_TRACE("step " + std::to_string(s + 1) + " of " + std::to_string(in_flight) + " in flight");
      EXPECT_EQ(outputs[s].number, s + 1);
      EXPECT_EQ(outputs[s].top, expected[s].top);
      EXPECT_EQ(outputs[s].states, expected[s].states);
      const auto same = [](const TokenOutput& a, const TokenOutput& b) {
        return a.token == b.token && a.logprob == b.logprob && a.rank == b.rank && a.top_begin == b.top_begin &&
               a.top_count == b.top_count && a.dead_end == b.dead_end;
      };
      EXPECT_TRUE(std::ranges::equal(outputs[s].drawn, expected[s].drawn, same));
      EXPECT_TRUE(std::ranges::equal(outputs[s].wanted, expected[s].wanted, same));
    }
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

}  // namespace
}  // namespace caravel::engine
