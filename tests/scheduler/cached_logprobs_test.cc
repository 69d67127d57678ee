// Prompt log-probabilities of cached tokens, kept beside the blocks by what runs the model.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "scheduler/scheduler.h"

namespace caravel::scheduler {
namespace {

constexpr int kBlock = 4;

/// The log-probability of a token is stored at its slot; here it is the token's position and value.
class LogprobRequest : public cache::CachedBlockFilter {
 public:
  LogprobRequest(std::vector<int64_t>& beside, std::vector<int32_t> prompt)
      : beside_(beside), prompt_(std::move(prompt)), known_(prompt_.size(), false) {
    known_[0] = true;  // nothing comes before the first token
  }

  bool usable(int index, cache::BlockId block) const override {
    for (int i = 0; i < kBlock; ++i) {
      const int p = index * kBlock + i;
      if (p == 0 || p >= static_cast<int>(prompt_.size())) continue;
      if (beside_[slot(block, i)] != logprob(p)) return false;
    }
    return true;
  }

  void fetch(int index, cache::BlockId block) override {
    EXPECT_TRUE(usable(index, block));
    for (int p = index * kBlock; p < std::min((index + 1) * kBlock, static_cast<int>(prompt_.size())); ++p) {
      known_[static_cast<size_t>(p)] = true;
    }
  }

  /// Logits at a position give the log-probability of the token after it; stored once that token has its slot.
  void computed(const Row& row) {
    for (int p = row.first; p < row.first + row.count; ++p) {
      if (p + 1 < static_cast<int>(prompt_.size())) known_[static_cast<size_t>(p) + 1] = true;
      if (p < static_cast<int>(prompt_.size()) && known_[static_cast<size_t>(p)]) {
        beside_[slot(row.sequence->kv.tables[0][p / kBlock], p % kBlock)] = logprob(p);
      }
    }
  }
  bool complete() const { return std::ranges::find(known_, false) == known_.end(); }

 private:
  static size_t slot(cache::BlockId block, int i) { return static_cast<size_t>(block * kBlock + i); }
  int64_t logprob(int p) const { return (int64_t{p} << 32) + prompt_[static_cast<size_t>(p)]; }

  std::vector<int64_t>& beside_;
  std::vector<int32_t> prompt_;
  std::vector<bool> known_;
};

/// Runs a prompt to its first draw; returns how many of its tokens were computed.
int run(Scheduler& scheduler, std::vector<int64_t>& beside, std::vector<int32_t> prompt, bool logprobs) {
  LogprobRequest request(beside, prompt);
  GroupParams params{.prompt = prompt, .max_tokens = static_cast<int>(prompt.size()) + 1};
  if (logprobs) params.filter = &request;
  const auto group = std::make_shared<SequenceGroup>(std::move(params));
  scheduler.add(group);
  int computed = 0;
  bool drawn = false;
  while (!drawn) {
    const Plan& plan = scheduler.plan();
    computed += plan.total_tokens;
    if (logprobs) request.computed(plan.rows[0]);
    drawn = plan.rows[0].draws;
    scheduler.complete(plan);
  }
  scheduler.cancel(*group);
  scheduler.check_integrity();
  EXPECT_EQ(request.complete(), logprobs);
  return computed;
}

class CachedLogprobs : public ::testing::TestWithParam<std::vector<int>> {};

TEST_P(CachedLogprobs, EveryTokenHasOneAndLittleIsComputedTwice) {
  SchedulerConfig config;
  config.max_num_batched_tokens = 7;
  config.kv = {.block_size = kBlock, .num_blocks = 200, .windows = GetParam()};
  Scheduler scheduler(config);
  std::vector<int64_t> beside(200 * kBlock, 0);
  std::vector<int32_t> prompt(21);
  for (int i = 0; i < 21; ++i) prompt[static_cast<size_t>(i)] = i * i;

  EXPECT_EQ(run(scheduler, beside, prompt, false), 21);
  EXPECT_EQ(run(scheduler, beside, prompt, false), 1);
  // The cached blocks lack log-probabilities, all is computed; the blocks that were there first stay in the index.
  EXPECT_EQ(run(scheduler, beside, prompt, true), 21);

  std::vector<int32_t> other(prompt.begin(), prompt.end());
  for (int32_t& token : other) token += 1000;
  EXPECT_EQ(run(scheduler, beside, other, true), 21);
  EXPECT_EQ(run(scheduler, beside, other, true), 21 - 16);  // a block less than what is there
  other[17] = 5;                                            // differs in the last token but three
  EXPECT_EQ(run(scheduler, beside, other, true), 21 - 12);
}

INSTANTIATE_TEST_SUITE_P(Windows, CachedLogprobs,
                         ::testing::Values(std::vector<int>{0}, std::vector<int>{0, 6}, std::vector<int>{6}));

}  // namespace
}  // namespace caravel::scheduler
