#include "voyager/recalled_model.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "voyager/agent_fixture.h"

namespace caravel::voyager {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string code(const std::string& name, const std::string& line) {
  return "```fake\nfunction " + name + "(bot)\n" + line + "\nend\n```";
}

class RecalledTest : public AgentTest {
 protected:
  /// A run of the same configuration, in a world that has no luck with these runs of code.
  Ending replay(std::set<int> unlucky = {}) {
    const RunStore record(folder("run"), RunStore::Open::kReading);
    RunStore store(folder("again"), RunStore::Open::kWriting);
    FakeWorld world;
    world.drift();
    world.unlucky = std::move(unlucky);
    const RecalledModels recalled(record, store);
    return Agent(config, {}, world, recalled.models(), prompts, store, watcher).run();
  }
  /// Of each round, the function that was run, and how it was judged.
  std::vector<std::string> rounds(const std::string& name) const {
    std::vector<std::string> all;
    for (const StepRow& step : steps(name))
      all.push_back(step.main + (step.error ? " failed" : step.judged.value_or(false) ? " +" : " -"));
    return all;
  }
};

TEST_F(RecalledTest, GivesTheSameWithTheSameLuck) {
  config.tasks = {"Get 1 log", "Get 1 plank"};
  model.answers[Role::kAction] = in_turn({code("getLog", "get log"), "no code", code("getPlank", "get plank")});
  run();
  replay();
  EXPECT_EQ(difference(exported_run("again"), exported_run("run")), "");
}

TEST_F(RecalledTest, ATaskGetsItsOwnAnswersWhateverCameBefore) {
  config.tasks = {"Get 1 log", "Get 1 plank", "Get 1 log"};
  model.answers[Role::kAction] =
      in_turn({code("first", "get log"), code("plank", "get plank"), code("second", "get log")});
  run();
  EXPECT_THAT(rounds("run"), ElementsAre("first +", "plank +", "second +"));
  replay({1, 3});
  EXPECT_THAT(rounds("again"), ElementsAre("first failed", "first +", "plank failed", "plank +", "second +"));
  EXPECT_EQ(tasks("again"), tasks("run"));
}

TEST_F(RecalledTest, AVerdictBelongsToItsCode) {
  config.tasks = {"Get 1 log", "Get 1 plank"};
  model.answers[Role::kAction] = in_turn(
      {code("wrong", "say no"), code("broken", "fail x"), code("right", "get log"), code("plank", "get plank")});
  model.answers[Role::kCritic] = in_turn({R"({"success": false, "critique": "no"})", R"({"success": true})"});
  run();
  EXPECT_THAT(rounds("run"), ElementsAre("wrong -", "broken failed", "right +", "plank +"));
  replay({1});
  EXPECT_THAT(rounds("again"), ElementsAre("wrong failed", "broken failed", "right +", "plank +"));
}

TEST_F(RecalledTest, WhatTheRecordNeverCameToFails) {
  config.tasks = {"Get 1 log"};
  run();
  config.tasks = {"Get 1 gem", "Get 1 log"};
  replay();
  EXPECT_EQ(tasks("again"), "Get 1 gem -\nGet 1 log +\n");
}

TEST_F(RecalledTest, EndsWhereTheRecordHasNoFurtherProposal) {
  run();
  config.iterations = 5;
  const Ending ending = replay();
  EXPECT_EQ(ending.kind, Ending::Kind::kInterrupted);
  EXPECT_THAT(ending.text, HasSubstr("no further answer of propose"));
  EXPECT_EQ(tasks("again"), tasks("run"));
}

TEST_F(RecalledTest, AGoalIsComeToAgain) {
  config.goal = "Get 1 plank";
  model.answers[Role::kAction] = in_turn({code("getLog", "get log"), code("getPlank", "get plank")});
  EXPECT_EQ(run().kind, Ending::Kind::kGoalReached);
  EXPECT_EQ(replay({1, 3}).kind, Ending::Kind::kGoalReached);
  EXPECT_EQ(tasks("again"), tasks("run"));
}

TEST_F(RecalledTest, NothingWasBegun) {
  const RunStore empty(folder("empty"), RunStore::Open::kWriting);
  const RunStore now(folder("again"), RunStore::Open::kWriting);
  EXPECT_THROW(RecalledModels(empty, now), InvalidArgument);
}

TEST_F(RecalledTest, ATextHasItsVectorOrANullOne) {
  run();
  const RunStore record(folder("run"), RunStore::Open::kReading);
  const RunStore now(folder("again"), RunStore::Open::kWriting);
  const RecalledModels recalled(record, now);
  Embedder& embedder = *recalled.models().embedder;
  int64_t number = 1;
  while (!record.embedding(number)) ++number;
  const EmbeddingRow row = record.embedding(number).value();
  EXPECT_EQ(embedder.embed(row.text), row.vector);
  EXPECT_EQ(embedder.embed("never seen"), std::vector<float>(26, 0.0F));
}

}  // namespace
}  // namespace caravel::voyager
