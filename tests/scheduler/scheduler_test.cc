#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "scheduler/fake_engine.h"

namespace caravel::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

SchedulerConfig config_of(int blocks, int budget = 64, int seqs = 8) {
  SchedulerConfig config;
  config.max_num_seqs = seqs;
  config.max_num_batched_tokens = budget;
  config.kv = {.block_size = 4, .num_blocks = blocks, .num_host_blocks = 64};
  return config;
}

/// A prompt that shares no prefix with those of other seeds.
std::shared_ptr<SequenceGroup> group_of(int prompt, int max_tokens, int seed = 0, int priority = 0, int sequences = 1,
                                        bool background = false) {
  GroupParams params;
  for (int i = 0; i < prompt; ++i) params.prompt.push_back(seed * 1000 + i);
  params.max_tokens = max_tokens;
  params.priority = priority;
  params.max_sequences = sequences;
  params.background = background;
  return std::make_shared<SequenceGroup>(std::move(params));
}

/// In the background, and of the highest priority there.
std::shared_ptr<SequenceGroup> background_of(int prompt, int max_tokens, int seed, int sequences = 1) {
  return group_of(prompt, max_tokens, seed, /*priority=*/-9, sequences, /*background=*/true);
}

/// Arrivals of the groups in a plan, in order of their rows.
std::vector<uint64_t> arrivals(const Plan& plan) {
  std::vector<uint64_t> order;
  for (const Row& row : plan.rows) order.push_back(row.sequence->group->arrival());
  return order;
}

/// Executes a step and lets every sequence that drew go on, or end at its group's max_tokens.
std::vector<uint64_t> step(Scheduler& scheduler) {
  const Plan& plan = scheduler.plan();
  auto order = arrivals(plan);
  scheduler.complete(plan);
  for (const Row& row : plan.rows) {
    Sequence& sequence = *row.sequence;
    if (!row.draws) continue;
    if (static_cast<int>(sequence.tokens.size()) == sequence.group->params().max_tokens) {
      scheduler.finish(sequence);
    } else {
      scheduler.append(sequence, 1);
    }
  }
  scheduler.check_integrity();
  return order;
}

TEST(Scheduler, AStepMayBeKeptShortWhileSequencesDecode) {
  Scheduler scheduler(config_of(100));
  const auto tokens_of = [&](int max_tokens) {
    const Plan& plan = scheduler.plan(max_tokens);
    const int total = plan.total_tokens;
    scheduler.complete(plan);
    for (const Row& row : plan.rows) {
      if (row.draws) scheduler.append(*row.sequence, 1);
    }
    return total;
  };
  scheduler.add(group_of(100, 120, 1));
  EXPECT_EQ(tokens_of(20), 64) << "nobody waits for the next token: the whole budget";
  EXPECT_EQ(tokens_of(20), 36);
  scheduler.add(group_of(100, 120, 2));
  EXPECT_EQ(tokens_of(20), 20);
  EXPECT_EQ(tokens_of(1), 17) << "the decode, and a short chunk beside it";
  EXPECT_EQ(tokens_of(1000), 64);
}

/// Of one that feeds itself.
std::shared_ptr<SequenceGroup> self_feeding(int prompt, int max_tokens, int sequences = 1) {
  GroupParams params{.max_tokens = max_tokens, .max_sequences = sequences, .feeds_itself = true};
  for (int i = 0; i < prompt; ++i) params.prompt.push_back(i);
  return std::make_shared<SequenceGroup>(std::move(params));
}

SchedulerConfig in_flight(SchedulerConfig config, int steps) {
  config.max_steps = steps;
  return config;
}

TEST(StepsInFlight, ATokenIsPlannedBeforeItIsKnown) {
  Scheduler scheduler(in_flight(config_of(64), 3));
  scheduler.add(self_feeding(6, 9));
  const Plan& prompt = scheduler.plan();
  EXPECT_TRUE(prompt.rows[0].draws);
  const Plan& second = scheduler.plan();
  ASSERT_EQ(second.rows.size(), 1U);
  EXPECT_EQ(second.rows[0].first, 6);
  EXPECT_TRUE(second.rows[0].draws);
  const Plan& third = scheduler.plan();
  EXPECT_EQ(third.rows[0].first, 7);
  scheduler.complete(prompt);
  Sequence& sequence = *third.rows[0].sequence;
  EXPECT_EQ(sequence.num_computed, 6);
  scheduler.append(sequence, 100);
  // A ninth token is the last that it may hold: what is drawn after it is not computed.
  const Plan& fourth = scheduler.plan();
  EXPECT_EQ(fourth.rows[0].first, 8);
  EXPECT_FALSE(scheduler.may_plan_ahead());
  scheduler.complete(second);
  scheduler.finish(sequence);
  EXPECT_EQ(third.rows[0].sequence->status, Status::kFinished) << "an over-run stays readable";
  EXPECT_GT(scheduler.kv().pool().used_blocks(), 0);
  scheduler.complete(third);
  scheduler.complete(fourth);
  scheduler.check_integrity();
  EXPECT_EQ(scheduler.kv().pool().used_blocks(), 0);
}

TEST(StepsInFlight, OthersWaitForTheirDrawsAndPromptsDoNotWait) {
  Scheduler scheduler(in_flight(config_of(64, 10), 4));
  scheduler.add(group_of(25, 30));
  scheduler.add(self_feeding(4, 9, /*sequences=*/2));
  const Plan* plans[] = {&scheduler.plan(), &scheduler.plan(), &scheduler.plan()};
  EXPECT_EQ(plans[1]->rows[0].first, 10);
  EXPECT_TRUE(plans[2]->rows[0].draws);
  EXPECT_TRUE(plans[2]->rows[1].draws) << "for two sequences, which are forked first";
  EXPECT_FALSE(scheduler.may_plan_ahead());
  for (const Plan* plan : plans) scheduler.complete(*plan);
  Sequence& first = *plans[2]->rows[1].sequence;
  scheduler.append(scheduler.fork(first), 7);
  scheduler.append(first, 8);
  const Plan& both = scheduler.plan();
  EXPECT_EQ(both.rows.size(), 2U);
  EXPECT_TRUE(scheduler.may_plan_ahead());
  EXPECT_EQ(scheduler.plan().rows.size(), 2U);
}

TEST(StepsInFlight, NobodyIsPreemptedForBlocksThatAStepStillUses) {
  Scheduler scheduler(in_flight(config_of(8), 2));
  scheduler.add(self_feeding(13, 24));
  const auto other = group_of(12, 24, 5);
  scheduler.add(other);
  // All eight blocks are taken when the first needs a fifth, at its 17th token.
  std::vector<const Plan*> plans;
  while (other->preemptions() == 0) {
    while (plans.empty() || (plans.size() < 2 && scheduler.may_plan_ahead())) {
      const int before = other->preemptions();
      plans.push_back(&scheduler.plan());
      if (plans.size() > 1) ASSERT_EQ(other->preemptions(), before);
    }
    const Plan& oldest = *plans.front();
    plans.erase(plans.begin());
    scheduler.complete(oldest);
    for (const Row& row : oldest.rows) {
      if (row.draws) scheduler.append(*row.sequence, 1);
    }
    scheduler.check_integrity();
    ASSERT_LT(oldest.step, 20U);
  }
}

TEST(StepsInFlight, WhatAPreemptedSequenceDrawsCounts) {
  for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
    Scheduler scheduler(in_flight(config_of(64), 2));
    const auto group = self_feeding(6, 20);
    scheduler.add(group);
    const Plan& prompt = scheduler.plan();
    scheduler.preempt(*group, how);
    const Plan& next = scheduler.plan();  // preempts it, and admits it again
    Sequence& sequence = *prompt.rows[0].sequence;
    EXPECT_EQ(group->preemptions(), 1);
    scheduler.complete(prompt);
    EXPECT_EQ(sequence.num_drawn, 6);
    EXPECT_EQ(sequence.num_computed, how == Preemption::kSwap ? 6 : 0);
    scheduler.append(sequence, 100);
    scheduler.complete(next);
    scheduler.check_integrity();
    while (sequence.num_drawn < 7) scheduler.complete(scheduler.plan());
    EXPECT_EQ(sequence.num_computed, 7);
  }
}

TEST(Scheduler, RefusesWhatCanNeverFitWithTheNumbers) {
  Scheduler scheduler(config_of(8));
  try {
    scheduler.add(group_of(10, 33));
    FAIL();
  } catch (const CapacityError& error) {
    EXPECT_THAT(error.what(), HasSubstr("may need 9 KV blocks of 4 tokens, and there are 8"));
  }
  EXPECT_THROW(scheduler.add(group_of(10, 20, 0, 0, 3)), CapacityError);
  EXPECT_FALSE(scheduler.has_work());
  scheduler.add(group_of(10, 32));
  EXPECT_TRUE(scheduler.has_work());
  EXPECT_THROW(group_of(0, 5), InvalidArgument);
  EXPECT_THROW(group_of(6, 5), InvalidArgument);
}

TEST(Scheduler, ARequestThatJustFitsRunsToItsEnd) {
  Scheduler scheduler(config_of(8, 5));
  scheduler.add(group_of(10, 32));
  while (scheduler.has_work()) step(scheduler);
  EXPECT_EQ(scheduler.kv().pool().used_blocks(), 0);
}

TEST(Scheduler, PromptsGoInChunksUnderOneBudgetAfterThoseThatRun) {
  Scheduler scheduler(config_of(64, 10));
  scheduler.add(group_of(4, 20, 1));
  step(scheduler);
  scheduler.add(group_of(25, 40, 2));
  const int expected[] = {9, 9, 7};  // one token of the budget decodes the first
  int first = 0;
  for (const int count : expected) {
    const Plan& plan = scheduler.plan();
    ASSERT_EQ(plan.rows.size(), 2U);
    EXPECT_EQ(plan.rows[0].count, 1);
    EXPECT_EQ(plan.rows[1].first, first);
    EXPECT_EQ(plan.rows[1].count, count);
    first += count;
    EXPECT_EQ(plan.rows[1].draws, first == 25);
    EXPECT_EQ(plan.total_tokens, count + 1);
    scheduler.complete(plan);
    scheduler.append(*plan.rows[0].sequence, 1);
  }
}

TEST(Scheduler, FirstComeFirstServed) {
  Scheduler scheduler(config_of(64, 64, 2));
  for (int i = 0; i < 4; ++i) scheduler.add(group_of(6, 8, i, /*priority=*/-i));
  EXPECT_THAT(step(scheduler), ElementsAre(0, 1));  // draws the 7th token
  EXPECT_THAT(step(scheduler), ElementsAre(0, 1));
  EXPECT_THAT(step(scheduler), ElementsAre(0, 1));  // both end
  EXPECT_THAT(step(scheduler), ElementsAre(2, 3));
}

TEST(Scheduler, NobodyOvertakesARequestThatDoesNotFitYet) {
  Scheduler scheduler(config_of(10));
  scheduler.add(group_of(20, 24, 1));
  scheduler.add(group_of(24, 28, 2));  // not while the first runs
  scheduler.add(group_of(4, 8, 3));    // would fit
  EXPECT_THAT(step(scheduler), ElementsAre(0));
  while (scheduler.has_work()) {
    const auto order = step(scheduler);
    EXPECT_TRUE(order.front() != 0 || order.size() == 1U);
  }
}

TEST(Scheduler, WaitingOutweighsPriorityWhereItAges) {
  const auto first_to_run = [](double ageing, double later) {
    SchedulerConfig config = config_of(64, 64, 1);
    config.policy = SchedulingPolicy::kPriority;
    config.priority_ageing = ageing;
    Scheduler scheduler(config);
    scheduler.add(group_of(6, 8, 1, /*priority=*/2), 100);
    scheduler.add(group_of(6, 8, 2, /*priority=*/0), 100 + later);
    return step(scheduler).front();
  };
  EXPECT_EQ(first_to_run(/*ageing=*/10, /*later=*/19), 1U);
  EXPECT_EQ(first_to_run(/*ageing=*/10, /*later=*/21), 0U);
  EXPECT_EQ(first_to_run(/*ageing=*/0, /*later=*/1e6), 1U);
}

TEST(Scheduler, ASteadyLoadOfTheHighestPriorityDoesNotKeepOthersWaitingForEver) {
  SchedulerConfig config = config_of(64, 64, 1);
  config.policy = SchedulingPolicy::kPriority;
  config.priority_ageing = 5;
  Scheduler scheduler(config);
  const auto patient = group_of(6, 8, 1, /*priority=*/3);
  int second = 0;
  scheduler.add(group_of(6, 9, 2), second);
  scheduler.add(patient, second);
  while (patient->status() == Status::kWaiting && second < 100) {  // each takes three steps; one comes in each
    ++second;
    scheduler.add(group_of(6, 9, 2 + second), second);
    step(scheduler);
  }
  EXPECT_GE(second, 15);
  EXPECT_LE(second, 80);
  while (scheduler.has_work()) step(scheduler);
}

TEST(Scheduler, PriorityRunsFirstAndTakesTheBlocksOfTheLast) {
  SchedulerConfig config = config_of(10);
  config.policy = SchedulingPolicy::kPriority;
  Scheduler scheduler(config);
  const auto ordinary = group_of(20, 24, 1, /*priority=*/5);
  scheduler.add(ordinary);
  scheduler.add(group_of(8, 12, 2, /*priority=*/5));
  EXPECT_THAT(step(scheduler), ElementsAre(0, 1));
  scheduler.add(group_of(20, 24, 3, /*priority=*/1));
  EXPECT_THAT(step(scheduler), ElementsAre(2));
  EXPECT_NE(ordinary->status(), Status::kRunning);
  while (scheduler.has_work()) step(scheduler);
}

/// Steps until the group has its first token.
int steps_to_first_token(Scheduler& scheduler, const std::shared_ptr<SequenceGroup>& group) {
  scheduler.add(group);
  int steps = 0;
  while (static_cast<int>(group->first().tokens.size()) == group->prompt_len()) {
    step(scheduler);
    ++steps;
  }
  return steps;
}

TEST(Scheduler, ForegroundRunsAsIfTheBackgroundWereNotThere) {
  for (const SchedulingPolicy policy : {SchedulingPolicy::kFcfs, SchedulingPolicy::kPriority}) {
    for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
      for (const int blocks : {64, 21}) {  // sequences run out, or blocks too
        SchedulerConfig config = config_of(blocks, /*budget=*/10, /*seqs=*/2);
        config.policy = policy;
        config.preemption = how;
        Scheduler scheduler(config);
        EXPECT_EQ(steps_to_first_token(scheduler, group_of(25, 26, 1)), 3);
        while (scheduler.has_work()) step(scheduler);
        const auto busy = {background_of(20, 36, 2), background_of(20, 36, 3), background_of(20, 24, 4)};
        for (const auto& group : busy) scheduler.add(group);
        for (int i = 0; i < 6; ++i) step(scheduler);
        EXPECT_EQ(steps_to_first_token(scheduler, group_of(25, 40, 5, /*priority=*/5)), 3);
        EXPECT_EQ(steps_to_first_token(scheduler, group_of(5, 9, 6)), 1);
        while (scheduler.has_work()) step(scheduler);
        for (const auto& group : busy) EXPECT_EQ(group->status(), Status::kFinished);
        EXPECT_EQ(scheduler.kv().pool().used_blocks() + scheduler.kv().host_pool().used_blocks(), 0);
      }
    }
  }
}

TEST(Scheduler, BackgroundWaitsAndGoesOnWhereItWas) {
  SchedulerConfig config = config_of(64, 64, 2);
  config.preemption = Preemption::kSwap;
  Scheduler scheduler(config);
  const auto wide = background_of(6, 10, 1, /*sequences=*/2);
  scheduler.add(wide);
  scheduler.add(background_of(6, 8, 2));
  EXPECT_THAT(step(scheduler), ElementsAre(0));
  scheduler.add(group_of(6, 8, 3));
  scheduler.add(group_of(6, 9, 4));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(step(scheduler), UnorderedElementsAre(2, 3));
  EXPECT_EQ(wide->preemptions(), 1);
  EXPECT_THAT(step(scheduler), ElementsAre(3)) << "two sequences do not fit beside it, and nobody overtakes them";
  EXPECT_THAT(step(scheduler), ElementsAre(0));
  EXPECT_EQ(wide->first().tokens.size(), 8U);
  while (scheduler.has_work()) step(scheduler);
}

TEST(Scheduler, BackgroundThatDecodesKeepsNoStepShort) {
  Scheduler scheduler(config_of(100));
  scheduler.add(background_of(8, 40, 1));
  step(scheduler);
  scheduler.add(group_of(100, 120, 2));
  EXPECT_EQ(scheduler.plan(/*max_tokens=*/20).total_tokens, 64);
}

TEST(Scheduler, TheLastArrivalIsPreemptedWholeAndComesBackFirst) {
  for (const Preemption how : {Preemption::kRecompute, Preemption::kSwap}) {
    SchedulerConfig config = config_of(12);
    config.preemption = how;
    config.kv.prefix_caching = false;
    Scheduler scheduler(config);
    const auto early = group_of(8, 40, 1);
    const auto late = group_of(8, 24, 2, 0, 2);
    scheduler.add(early);
    scheduler.add(late);
    step(scheduler);
    scheduler.fork(late->first());
    const auto newcomer = group_of(4, 8, 3);
    while (late->status() == Status::kRunning) step(scheduler);
    scheduler.add(newcomer);
    EXPECT_EQ(late->status(), how == Preemption::kSwap ? Status::kSwapped : Status::kWaiting);
    EXPECT_EQ(late->sequences()[0]->status, late->sequences()[1]->status);
    EXPECT_EQ(early->preemptions(), 0);
    while (late->status() != Status::kRunning) {
      step(scheduler);
      EXPECT_TRUE(newcomer->status() == Status::kWaiting || late->status() == Status::kRunning);
    }
    while (scheduler.has_work()) step(scheduler);
    Stats stats;
    scheduler.fill(stats);
    EXPECT_EQ(stats.preemptions_swap > 0, how == Preemption::kSwap);
    EXPECT_EQ(stats.preemptions_recompute > 0, how == Preemption::kRecompute);
    EXPECT_EQ(scheduler.kv().pool().used_blocks() + scheduler.kv().host_pool().used_blocks(), 0);
  }
}

TEST(Scheduler, PreemptsByCost) {
  for (const double block : {0.01, 1000.0}) {
    SchedulerConfig config = config_of(16);
    config.cost = {.token = 1, .pair = 0, .block = block};
    Scheduler scheduler(config);
    const auto group = group_of(12, 20);
    scheduler.add(group);
    step(scheduler);
    scheduler.preempt(*group, Preemption::kAuto);
    scheduler.plan();
    Stats stats;
    scheduler.fill(stats);
    EXPECT_EQ(stats.preemptions_swap, block < 1 ? 1 : 0);
    EXPECT_EQ(stats.preemptions_recompute, block < 1 ? 0 : 1);
  }
}

TEST(Scheduler, AfterRecomputeWhatSequencesShareIsComputedOnce) {
  SchedulerConfig config = config_of(64);
  config.kv.prefix_caching = false;
  Scheduler scheduler(config);
  const auto group = group_of(20, 30, 0, 0, 3);
  scheduler.add(group);
  const Plan& plan = scheduler.plan();
  scheduler.complete(plan);
  Sequence& parent = group->first();
  for (int i = 0; i < 2; ++i) scheduler.append(scheduler.fork(parent), 7 + i);
  scheduler.append(parent, 1);
  scheduler.preempt(*group, Preemption::kRecompute);
  scheduler.plan();
  EXPECT_EQ(plan.total_tokens, 20);
  scheduler.complete(plan);
  scheduler.plan();
  EXPECT_EQ(plan.total_tokens, 3);
  scheduler.complete(plan);
  EXPECT_EQ(scheduler.kv().pool().used_blocks(), 5 + 3);
}

TEST(Scheduler, TheNextSequenceTakesOverWhatTheFirstComputedForAll) {
  for (const bool in_flight : {false, true}) {
    SchedulerConfig config = config_of(64, /*budget=*/8);
    config.kv.prefix_caching = false;
    Scheduler scheduler(config);
    const auto group = group_of(18, 30, 0, 0, 3);
    scheduler.add(group);
    const Plan& plan = scheduler.plan();
    scheduler.complete(plan);
    scheduler.fork(group->first());
    scheduler.fork(group->first());  // both wait
    scheduler.check_integrity();
    scheduler.plan();
    ASSERT_EQ(plan.rows.size(), 1U);
    EXPECT_EQ(plan.rows[0].count, 8);
    if (in_flight) scheduler.finish(group->first());
    scheduler.complete(plan);
    if (!in_flight) scheduler.finish(group->first());
    scheduler.check_integrity();
    scheduler.plan();
    if (in_flight) {
      ASSERT_EQ(plan.rows.size(), 1U);
      EXPECT_EQ(plan.rows[0].first, 8) << "what the step in flight wrote is lost with the one that ended";
      EXPECT_EQ(plan.rows[0].count, 8);
      scheduler.complete(plan);
      scheduler.plan();
    }
    ASSERT_EQ(plan.rows.size(), 2U);
    for (const Row& row : plan.rows) {
      EXPECT_EQ(row.first, 16);
      EXPECT_TRUE(row.draws);
    }
    scheduler.complete(plan);
    EXPECT_EQ(scheduler.kv().pool().used_blocks(), 4 + 2);
    scheduler.cancel(*group);
    EXPECT_EQ(scheduler.kv().pool().used_blocks(), 0);
  }
}

TEST(Scheduler, APrefixThatWasComputedIsNotComputedAgain) {
  Scheduler scheduler(config_of(64));
  scheduler.add(group_of(21, 22));
  while (scheduler.has_work()) step(scheduler);
  const auto again = group_of(21, 22);
  scheduler.add(again);
  const Plan& plan = scheduler.plan();
  EXPECT_EQ(plan.total_tokens, 1);
  EXPECT_TRUE(plan.rows[0].draws);
  EXPECT_EQ(again->cached_tokens(), 20);
}

TEST(Scheduler, CancelledInFlightIsReadableUntilTheNextPlan) {
  Scheduler scheduler(config_of(64));
  auto group = group_of(5, 10, 1);
  scheduler.add(group);
  scheduler.add(group_of(5, 10, 2));
  const Plan& plan = scheduler.plan();
  scheduler.cancel(*group);
  EXPECT_EQ(scheduler.kv().pool().used_blocks(), 4);  // the step still writes there
  scheduler.complete(plan);
  EXPECT_EQ(plan.rows[0].sequence->status, Status::kFinished);
  EXPECT_EQ(plan.rows[0].sequence->group, group.get());
  EXPECT_EQ(scheduler.kv().pool().used_blocks(), 2);
  scheduler.cancel(*group);  // nothing left to cancel
}

TEST(Scheduler, StatsCountWhoIsWhere) {
  Scheduler scheduler(config_of(64, 64, 2));
  for (int i = 0; i < 3; ++i) scheduler.add(group_of(5, 10, i));
  step(scheduler);
  Stats stats;
  scheduler.fill(stats);
  EXPECT_EQ(stats.running_requests, 2);
  EXPECT_EQ(stats.waiting_requests, 1);
  EXPECT_EQ(stats.used_blocks, 4);
  EXPECT_EQ(stats.prompt_tokens, 10);
  EXPECT_EQ(stats.kv_slots_reserved, 16);
  EXPECT_EQ(stats.kv_slots_reserved_unused, 6);
}

TEST(Scheduler, UnderFourPercentOfReservedKvMemoryHoldsNoToken) {
  SchedulerConfig config;
  config.max_num_seqs = 64;
  config.max_num_batched_tokens = 512;
  config.kv = {.block_size = 16, .num_blocks = 2000};
  Scheduler scheduler(config);
  for (int i = 0; i < 32; ++i) {
    const int prompt = 32 + i * 480 / 31;
    scheduler.add(group_of(prompt, prompt + 128, i));
  }
  while (scheduler.has_work()) step(scheduler);
  Stats stats;
  scheduler.fill(stats);
  const double unused = static_cast<double>(stats.kv_slots_reserved_unused);
  EXPECT_LT(unused / static_cast<double>(stats.kv_slots_reserved), 0.04);
  EXPECT_GT(unused, 0);
}

TEST(SchedulerDeathTest, TheQueueNeverStandsStillInSilence) {
  Scheduler scheduler(config_of(64));
  scheduler.add(group_of(5, 10));
  scheduler.complete(scheduler.plan());
  EXPECT_DEATH(scheduler.plan(), "rows.empty");  // it drew, and was neither appended to nor finished
}

}  // namespace
}  // namespace caravel::scheduler
