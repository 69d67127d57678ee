#include <gmock/gmock.h>

#include "voyager/agent_fixture.h"

namespace caravel::voyager {
namespace {

using testing::HasSubstr;

std::string getting(const std::string& prompt) {
  const size_t at = prompt.rfind("Task: Get 1 ");
  const std::string item = prompt.substr(at + 12, prompt.find('\n', at) - at - 12);
  return "```fake\nfunction f(bot)\nget " + item + "\nend\n```";
}

TEST_F(AgentTest, AGoalIsReachedByItsTasksWhenTheWorldSaysSo) {
  config.goal = "Get 1 plank";
  config.iterations = 20;
  model.answers[Role::kAction] = getting;
  const Ending ending = run();
  EXPECT_EQ(ending.kind, Ending::Kind::kGoalReached);
  EXPECT_EQ(ending.text, "the goal \"Get 1 plank\" is reached after 2 tasks: the world says so");
  EXPECT_EQ(tasks(), "Get 1 log +\nGet 1 plank +\n");
  EXPECT_EQ(run().text, ending.text) << "and again, where there is nothing to do";
}

TEST_F(AgentTest, WhereTheWorldCannotTellTheCriticIsAskedOfTheGoalItself) {
  config.goal = "Be happy";
  config.iterations = 20;
  config.goal_attempts = 2;
  model.answers[Role::kAction] = getting;
  model.answers[Role::kCritic] = [](const std::string& prompt) {
    const bool is_goal = prompt.find("\nTask: Be happy") != std::string::npos;
    return std::string(R"({"reasoning": "", "critique": "", "success": )") + (is_goal ? "false}" : "true}");
  };
  const Ending ending = run();
  EXPECT_EQ(ending.kind, Ending::Kind::kGoalGivenUp);
  EXPECT_EQ(ending.text, "the goal \"Be happy\" is given up after 2 decompositions");
  EXPECT_EQ(model.count(Role::kDecompose), 2);
  model.answers[Role::kCritic] = [](const std::string&) { return R"({"success": true})"; };
  EXPECT_THAT(run("other").text, HasSubstr("the critic says so"));
}

TEST_F(AgentTest, AFailedTaskHasTheGoalBrokenUpAgainFromThere) {
  config.goal = "Get 1 plank";
  config.iterations = 20;
  config.rounds = 1;
  config.goal_attempts = 3;
  model.answers[Role::kAction] = [](const std::string&) { return "```fake\nfunction f(bot)\nfail no\nend\n```"; };
  const Ending ending = run();
  EXPECT_EQ(ending.text,
            "the goal \"Get 1 plank\" is given up after 3 decompositions; the last one failed at \"Get 1 log\"");
  EXPECT_EQ(tasks(), "Get 1 log -\nGet 1 log -\nGet 1 log -\n");
  EXPECT_THAT(model.last_prompt(Role::kDecompose), HasSubstr("Failed so far: Get 1 log"));
}

TEST_F(AgentTest, ADecompositionThatNobodyCanReadLeavesTheGoalAsItsTask) {
  config.goal = "Get 1 plank";
  config.iterations = 20;
  model.answers[Role::kDecompose] = [](const std::string&) { return "Hm."; };
  model.answers[Role::kAction] = getting;
  EXPECT_EQ(run().kind, Ending::Kind::kGoalReached);
  EXPECT_EQ(model.count(Role::kDecompose), 5);
  EXPECT_EQ(tasks(), "Get 1 plank +\n");
}

TEST_F(AgentTest, AGoalTakesNoMoreTasksThanAreAllowed) {
  config.goal = "Get 5 gold";
  config.iterations = 3;
  config.goal_attempts = 100;
  EXPECT_THAT(run().text, HasSubstr("given up after 3 tasks"));
  EXPECT_EQ(iterations().size(), 3U);
}

}  // namespace
}  // namespace caravel::voyager
