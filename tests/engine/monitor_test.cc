#include <gtest/gtest.h>

#include <latch>
#include <map>

#include "engine/harness.h"
#include "engine/watched_executor.h"

namespace caravel::engine {
namespace {

TEST(Monitor, StepsAddUpToTheTokensAndGoOnFromTheLastOne) {
  TestEngine engine(small_config());
  run(engine, token_request(random_tokens(200, 1), {.max_tokens = 30}));
  const EngineReport first = engine.monitor().report(0);
  ASSERT_FALSE(first.steps.empty());
  int prefill = 0, decode = 0;
  uint64_t number = 0;
  double end = 0;
  for (const StepReport& step : first.steps) {
    EXPECT_EQ(step.number, number + 1);
    EXPECT_GE(step.end, end);
    EXPECT_GT(step.seconds, 0);
    number = step.number;
    end = step.end;
    prefill += step.prefill_tokens;
    decode += step.decode_tokens;
  }
  EXPECT_EQ(prefill, 200);
  EXPECT_EQ(decode, 29);  // the first token comes from the prompt's last step
  EXPECT_EQ(first.steps.front().running, 1);
  EXPECT_EQ(first.steps.back().running, 0);
  EXPECT_LE(end, first.now);
  EXPECT_TRUE(engine.monitor().report(number).steps.empty());
  run(engine, token_request(random_tokens(20, 2), {.max_tokens = 2}));
  const EngineReport next = engine.monitor().report(number);
  ASSERT_EQ(next.steps.size(), 2U);
  EXPECT_EQ(next.steps[0].number, number + 1);
}

TEST(Monitor, KeepsTheNewestSteps) {
  TestEngine engine(small_config());
  for (uint32_t i = 0; i < 3; ++i) run(engine, token_request(random_tokens(20, i), {.max_tokens = 200}));
  const std::vector<StepReport> steps = engine.monitor().report(0).steps;
  EXPECT_EQ(steps.size(), MonitorLog::kSteps);
  EXPECT_EQ(steps.back().number, static_cast<uint64_t>(engine.stats().steps));
  EXPECT_EQ(steps.front().number, steps.back().number - MonitorLog::kSteps + 1);
}

TEST(Monitor, BlocksSayWhoseTheyAreWhileRequestsRun) {
  Engine* watched = nullptr;
  EngineReport seen;
  std::latch submitted(1);  // both: the first may else have ended before this thread comes to the second
  const EngineHooks hooks = watching([&](const StepInput& step) {
    submitted.wait();
    // From the engine's own thread: the map is of the boundary before this step, asked for one step earlier.
    EngineReport report = watched->monitor().report(0);
    if (step.rows.size() == 3) seen = std::move(report);
  });
  TestEngine engine(small_config(), hooks);
  watched = &engine;
  const std::vector<int32_t> prompt = random_tokens(64, 3);
  Request one = token_request(prompt, {.max_tokens = 60, .temperature = 1, .n = 2});
  one.id = "one";
  Request other = token_request(random_tokens(40, 4), {.max_tokens = 60});
  other.id = "other";
  const auto a = engine.submit(one);
  const auto b = engine.submit(other);
  submitted.count_down();
  a->result();
  b->result();

  ASSERT_FALSE(seen.blocks.empty());
  ASSERT_EQ(static_cast<int64_t>(seen.blocks.size()), seen.stats.total_blocks);
  std::map<int64_t, int> blocks_of;
  int shared = 0;
  for (const BlockReport& block : seen.blocks) {
    EXPECT_EQ(block.owner >= 0, block.references > 0);
    if (block.owner >= 0) ++blocks_of[block.owner];
    if (block.references > 1) ++shared;
  }
  std::map<std::string, int> blocks_by_id;
  for (const EngineReport::Owner& owner : seen.owners) blocks_by_id[owner.id] = blocks_of[owner.number];
  EXPECT_EQ(blocks_by_id.size(), 2U);
  EXPECT_GE(blocks_by_id["one"], 64 / 16 + 2);
  EXPECT_GE(blocks_by_id["other"], 40 / 16 + 1);
  EXPECT_GE(shared, 64 / 16) << "both answers to `one` share its prompt";

  engine.monitor().check_integrity();
  const EngineReport idle = engine.monitor().report(0);
  EXPECT_TRUE(idle.owners.empty());
  int64_t cached = 0;
  for (const BlockReport& block : idle.blocks) {
    EXPECT_EQ(block, (BlockReport{.cached = block.cached}));
    cached += block.cached;
  }
  EXPECT_EQ(cached, idle.stats.cached_blocks);
  EXPECT_GT(cached, 0);
}

}  // namespace
}  // namespace caravel::engine
