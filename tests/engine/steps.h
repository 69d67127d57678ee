#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/harness.h"
#include "sampler/token_bits.h"

// Steps without an engine: what an executor makes of some answers.

namespace caravel::engine {

inline constexpr int kStepBlock = 16;
inline constexpr int32_t kStepVocab = 320;

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
    for (int i = (row.first + kStepBlock - 1) / kStepBlock; i * kStepBlock < length; ++i) {
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
inline std::vector<StepOutput> run_steps(Executor& executor, int groups, int in_flight) {
  Answers answers(groups);
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
      draws.masks.assign(sampler::words_of(kStepVocab), 0);
      draws.masks[2] = 0xf0;
      draws.draws.push_back({.place = kept_logits(3), .sampler = 50, .mask = 0, .top = 2});
    }
    executor.launch(input);
    input.clear();
    executor.launch(draws);
    draws.clear();
    while (number - collected >= static_cast<uint64_t>(in_flight)) {
      outputs.push_back(executor.collect());
      ++collected;
    }
  }
  while (collected < 10) {
    outputs.push_back(executor.collect());
    ++collected;
  }
  return outputs;
}

/// To the bit.
inline void expect_same(const std::vector<StepOutput>& got, const std::vector<StepOutput>& expected,
                        const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  const auto same = [](const TokenOutput& a, const TokenOutput& b) {
    return a.token == b.token && a.logprob == b.logprob && a.rank == b.rank && a.top_begin == b.top_begin &&
           a.top_count == b.top_count && a.dead_end == b.dead_end;
  };
  for (size_t s = 0; s < got.size(); ++s) {
    SCOPED_TRACE(what + ", step " + std::to_string(s + 1));
    EXPECT_EQ(got[s].number, s + 1);
    EXPECT_EQ(got[s].top, expected[s].top);
    EXPECT_EQ(got[s].states, expected[s].states);
    EXPECT_TRUE(std::ranges::equal(got[s].drawn, expected[s].drawn, same));
    EXPECT_TRUE(std::ranges::equal(got[s].wanted, expected[s].wanted, same));
  }
}

}  // namespace caravel::engine
