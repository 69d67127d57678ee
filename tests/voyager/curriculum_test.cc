#include "voyager/curriculum.h"

#include <gmock/gmock.h>

#include "voyager/agent_fixture.h"
#include "voyager/prompt_texts.h"

namespace caravel::voyager {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Tasks that are named after what is to come of them fail where the name says so.
void fail_tasks(ScriptedModel& model, const std::string& word) {
  model.answers[Role::kCritic] = [word](const std::string& prompt) {
    const bool fails = prompt.substr(prompt.rfind("\nTask: ")).find(word) != std::string::npos;
    return std::string(R"({"reasoning": "", "critique": "", "success": )") + (fails ? "false}" : "true}");
  };
}

std::string proposal(const std::string& task) { return R"({"reasoning": "r", "task": ")" + task + "\"}"; }

TEST_F(AgentTest, WoodComesFirstAndAgainUntilSomethingIsDone) {
  fail_tasks(model, "wood log");
  config.rounds = 1;
  run();
  EXPECT_EQ(tasks(), "Mine 1 wood log -\nGet 1 log +\nGet 1 log +\n");
  fail_tasks(model, "1");
  run("other");
  EXPECT_EQ(tasks("other"), "Mine 1 wood log -\nGet 1 log -\nMine 1 wood log -\n");
}

TEST_F(AgentTest, AMalformedProposalIsAskedForAgainWithWhatWasWrong) {
  config.iterations = 2;
  model.answers[Role::kPropose] = in_turn({"Dig!", R"({"task": 1})", proposal("Get 2 log")});
  run();
  EXPECT_EQ(tasks(), "Mine 1 wood log +\nGet 2 log +\n");
  EXPECT_EQ(model.count(Role::kPropose), 3);
  EXPECT_THAT(model.last_prompt(Role::kPropose), HasSubstr("could not be used: \"task\" is no text."));
}

TEST_F(AgentTest, AfterFiveMalformedProposalsARuleSetsTheTask) {
  config.iterations = 2;
  model.answers[Role::kPropose] = [](const std::string&) { return "Dig!"; };
  run();
  EXPECT_EQ(model.count(Role::kPropose), 5);
  EXPECT_EQ(iterations()[1].task, "Mine 1 log");
  EXPECT_THAT(iterations()[1].reason, StartsWith("By rule, since 5 answers in a row could not be used"));
}

TEST_F(AgentTest, AnAnswerThatWasCutIsToldToBeBrief) {
  config.iterations = 2;
  model.is_cut = true;
  model.answers[Role::kPropose] = in_turn({"{\"reasoning\": \"so", proposal("Get 2 log")});
  run();
  EXPECT_THAT(model.last_prompt(Role::kPropose), HasSubstr("it was cut: be brief"));
}

TEST_F(AgentTest, WhatHasJustFailedIsNotProposedAgainAtOnce) {
  fail_tasks(model, "gold");
  config.rounds = 1;
  config.iterations = 3;
  model.answers[Role::kPropose] = in_turn({proposal("Get 1 gold"), proposal("Get 1 gold"), proposal("Get 1 log")});
  run();
  EXPECT_EQ(tasks(), "Mine 1 wood log +\nGet 1 gold -\nGet 1 log +\n");
  EXPECT_THAT(model.last_prompt(Role::kPropose), HasSubstr("\"Get 1 gold\" has just failed"));
}

TEST_F(AgentTest, AFailedTaskComesBackAfterOthersWereDoneAndNotForEver) {
  fail_tasks(model, "gold");
  config.rounds = 1;
  config.iterations = 12;
  model.answers[Role::kPropose] = in_turn({proposal("Get 1 gold"), proposal("Get 1 log")});
  run();
  EXPECT_EQ(tasks(),
            "Mine 1 wood log +\nGet 1 gold -\nGet 1 log +\nGet 1 log +\nGet 1 log +\nGet 1 gold -\nGet 1 log +\n"
            "Get 1 log +\nGet 1 log +\nGet 1 gold -\nGet 1 log +\nGet 1 log +\n");
  EXPECT_THAT(iterations()[5].reason, HasSubstr("failed before"));
}

TEST_F(AgentTest, AFullInventoryIsPutAway) {
  config.iterations = 4;
  prepare = [](FakeWorld& world) { world.state().slots_used = 34; };
  fail_tasks(model, "chest");
  config.rounds = 1;
  run();
  EXPECT_EQ(tasks(), "Mine 1 wood log +\nCraft 1 chest -\nGet 1 log +\nCraft 1 chest -\n");
  prepare = [](FakeWorld& world) {
    world.state().slots_used = 33;
    world.state().chests["(1, 2, 3)"] = {};
  };
  fail_tasks(model, "nothing");
  config.iterations = 2;
  run("other");
  EXPECT_EQ(iterations("other")[1].task, "Deposit useless items into the chest at (1, 2, 3)");
  EXPECT_EQ(iterations("other")[1].skill, "") << "what is learnt is of its place";
}

TEST_F(AgentTest, QuestionsAreAskedOnceThereIsSomethingToAskAbout) {
  config.iterations = 17;
  int number = 0;
  model.answers[Role::kPropose] = [&](const std::string&) {
    return proposal("Get 1 thing" + std::to_string(++number));
  };
  model.answers[Role::kQuestions] = in_turn({R"({"reasoning": "", "questions": ["What is a log?", "what is a LOG"]})"});
  run();
  EXPECT_EQ(model.count(Role::kQuestions), 2) << "at 15 and 16 completed tasks";
  EXPECT_THAT(model.last_prompt(Role::kPropose),
              HasSubstr("What is known of it:\n- What is a log? By hand\n- what is a LOG By hand"));
  const RunStore store(folder("run"), RunStore::Open::kReading);
  int logs = 0;
  for (const QuestionRow& row : store.questions()) logs += row.question == "What is a log?" ? 1 : 0;
  EXPECT_EQ(logs, 1) << "and not twice";
}

TEST_F(AgentTest, HowATaskIsDoneIsAskedOnce) {
  config.tasks = {"Get 1 log", "get 1 Log!", "Get 1 logg"};
  run();
  EXPECT_EQ(model.count(Role::kAnswer), 2);
  EXPECT_EQ(iterations()[1].context, "By hand");
  EXPECT_EQ(iterations()[2].context, "By hand");
}

TEST(QuestionCache, AQuestionIsKnownByItsWordsOrByAVector) {
  QuestionCache cache;
  cache.add({"What is made of raw_iron?", "ingots", {}, 1});
  cache.add({"Where are cows?", "on grass", {1, 0}, 1});
  cache.add({"Where is coal?", "in stone", {1, 0.2F}, 2});
  EXPECT_EQ(cache.find("what is  made of RAW_IRON")->answer, "ingots");
  EXPECT_EQ(cache.find("what is made of raw iron"), nullptr);
  EXPECT_EQ(cache.find(std::vector<float>{2, 0.3F})->answer, "in stone") << "the nearest";
  EXPECT_EQ(cache.find(std::vector<float>{0.2F, 1}), nullptr);
  EXPECT_EQ(cache.find(std::vector<float>{1, 0, 0}), nullptr) << "of another embedder";
  EXPECT_EQ(cache.find(std::vector<float>{}), nullptr);
}

TEST(WarmUp, MoreIsShownAsMoreIsDone) {
  int early = 0, late = 0;
  for (int64_t iteration = 0; iteration < 1000; ++iteration) {
    const ShownParts at_first = warm_up(0, 1, iteration), later = warm_up(15, 1, iteration);
    early += at_first.entities || at_first.all_items || at_first.biome || at_first.time || at_first.health ? 1 : 0;
    late += later.health ? 1 : 0;
  }
  EXPECT_EQ(early, 0);
  EXPECT_NEAR(late, 800, 60);
}

TEST(WarmUp, AnObservationShowsItsParts) {
  Observation at{.biome = "forest", .time_of_day = "night", .health = 19.5, .food = 8};
  at.inventory = {{"oak_log", 2}, {"poppy", 1}};
  at.nearby_entities = {{"cow", 3.4}};
  EXPECT_THAT(observation_text(at), AllOf(HasSubstr("Biome: forest\nTime: night"), HasSubstr("cow (3 away)"),
                                          HasSubstr("Health: 19.5 of 20"), HasSubstr("oak_log: 2, poppy: 1")));
  EXPECT_THAT(observation_text(at, warm_up(0, 1, 1)),
              AllOf(Not(HasSubstr("forest")), Not(HasSubstr("poppy")), HasSubstr("oak_log: 2")));
}

}  // namespace
}  // namespace caravel::voyager
