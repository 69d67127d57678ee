// Random operations on random schedulers; CARAVEL_RANDOM_OPERATIONS (default a million) says how many.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "scheduler/fake_engine.h"

namespace caravel::scheduler {
namespace {

int64_t wanted_operations() {
  const char* text = std::getenv("CARAVEL_RANDOM_OPERATIONS");
  return text == nullptr ? 1'000'000 : std::stoll(text);
}

SchedulerConfig random_config(std::mt19937& random) {
  const auto pick = [&random](std::initializer_list<int> values) {
    return *(values.begin() + static_cast<ptrdiff_t>(random() % values.size()));
  };
  static const std::vector<std::vector<int>> kWindows = {{0}, {0, 5}, {3}, {0, 4, 9}, {0, 1}, {6, 6, 2}};
  SchedulerConfig config;
  config.kv.block_size = pick({1, 2, 4, 4});
  config.kv.windows = kWindows[random() % kWindows.size()];
  config.kv.num_blocks = pick({24, 40, 90, 300});
  config.kv.num_host_blocks = pick({0, 20, 200});
  config.kv.prefix_caching = random() % 4 != 0;
  config.kv.hash_seed = random();
  config.max_num_seqs = pick({1, 3, 8, 32});
  config.max_num_batched_tokens = pick({1, 5, 16, 64});
  config.max_steps = pick({1, 2, 3, 4});
  config.policy = random() % 2 == 0 ? SchedulingPolicy::kFcfs : SchedulingPolicy::kPriority;
  config.preemption = static_cast<Preemption>(random() % 3);
  config.cost = {.token = 1, .pair = 0.1, .block = 2};
  if (random() % 4 == 0) config.preempt_every_draw = static_cast<Preemption>(random() % 3);
  return config;
}

void add_random_job(FakeEngine& engine) {
  Job job;
  job.kind = static_cast<JobKind>(engine.below(3));
  job.width = 1 + engine.below(4);
  job.remaining = 1 + engine.below(6);
  GroupParams params;
  params.priority = engine.below(3);
  params.background = engine.below(3) == 0;
  params.salt = engine.below(8) == 0 ? "salt" : "";
  // One of a few families, cut anywhere: prompts share prefixes of every length.
  const int family = engine.below(3);
  const int length = 1 + engine.below(engine.below(8) == 0 ? 60 : 20);
  for (int i = 0; i < length; ++i) params.prompt.push_back((i * (family + 1) + i / 7) % 4);
  job.length = length + 1 + engine.below(16);
  try {
    engine.add(std::move(job), std::move(params));
  } catch (const CapacityError&) {
    // Some never fit these small pools.
  }
}

void preempt_random_job(FakeEngine& engine) {
  if (engine.jobs().empty()) return;
  const auto job = static_cast<size_t>(engine.below(static_cast<int>(engine.jobs().size())));
  SequenceGroup& group = *engine.jobs()[job].group;
  if (group.status() == Status::kRunning) engine.scheduler().preempt(group, static_cast<Preemption>(engine.below(3)));
}

TEST(RandomOperations, EveryTokenSeesItsOwnPrefixAndNothingLeaks) {
  const int64_t wanted = wanted_operations();
  Stats seen;
  int64_t done = 0;
  int64_t ahead = 0;
  int64_t discarded = 0;
  for (uint32_t seed = 1; done < wanted; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    FakeEngine engine(random_config(random), seed);
    for (int turn = 0; turn < 600; ++turn) {
      const int dice = engine.below(100);
      if (dice < 20 && engine.jobs().size() < 12) {
        add_random_job(engine);
      } else if (dice < 24) {
        preempt_random_job(engine);
      } else if (dice < 25 && !engine.jobs().empty()) {
        engine.cancel(static_cast<size_t>(engine.below(static_cast<int>(engine.jobs().size()))));
      } else if (engine.scheduler().has_work()) {
        engine.step(/*cancel_percent=*/1);
      }
      if (turn % 4 == 0) engine.scheduler().check_integrity();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    engine.drain();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    done += engine.operations();
    ahead += engine.ahead();
    discarded += engine.discarded();
    Stats stats;
    engine.scheduler().fill(stats);
    seen.cached_tokens += stats.cached_tokens;
    seen.preemptions_recompute += stats.preemptions_recompute;
    seen.preemptions_swap += stats.preemptions_swap;
  }
  // The dice reached what they were thrown for.
  EXPECT_GT(seen.cached_tokens, done / 1000);
  EXPECT_GT(seen.preemptions_recompute, done / 1000);
  EXPECT_GT(seen.preemptions_swap, done / 1000);
  EXPECT_GT(ahead, done / 100);
  EXPECT_GT(discarded, done / 1000);
}

}  // namespace
}  // namespace caravel::scheduler
