#include "voyager/agent.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "voyager/agent_fixture.h"

namespace caravel::voyager {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string block(const std::string& code) { return "```fake\n" + code + "```\n"; }

TEST_F(AgentTest, ATaskIsProposedWrittenRunJudgedAndKept) {
  EXPECT_EQ(run().kind, Ending::Kind::kDone);
  EXPECT_EQ(tasks(), "Mine 1 wood log +\nGet 1 log +\nGet 1 log +\n");
  const auto rows = iterations();
  EXPECT_EQ(rows[0].context, "By hand");
  EXPECT_EQ(rows[1].reason, "more");
  EXPECT_EQ(rows[2].skill, "getLog");
  EXPECT_EQ(rows[2].skill_version, 3) << "versions are kept";
  const auto done = steps();
  EXPECT_EQ(done[1].checked, true);
  EXPECT_EQ(done[1].judged, true);
  EXPECT_EQ(done[0].checked, std::nullopt) << "the world cannot tell";
  EXPECT_THAT(done[1].skills_shown, ElementsAre("getLog"));
  const RunStore store(folder("run"), RunStore::Open::kReading);
  EXPECT_EQ(store.items().at(0).name, "log");
  EXPECT_EQ(store.skills().size(), 3U);
  EXPECT_EQ(store.ending().at("kind"), "done");
  EXPECT_EQ(store.setup().at("agent").at("iterations"), 3);
  EXPECT_EQ(store.setup().at("world").at("tiers").at(0).at("name"), "wood");
}

TEST_F(AgentTest, TheSecondRoundIsToldWhatCameOfTheFirst) {
  config.iterations = 1;
  model.answers[Role::kAction] = in_turn(
      {block("function f(bot)\nsay hello\nfail no tree here\nend\n"), block("function f(bot)\nget log\nend\n")});
  run();
  const auto done = steps();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_TRUE(done[0].error.has_value());
  EXPECT_EQ(done[0].judged, std::nullopt) << "nobody is asked of code that failed";
  EXPECT_EQ(model.count(Role::kCritic), 1);
  const std::string prompt = model.last_prompt(Role::kAction);
  EXPECT_THAT(prompt,
              AllOf(HasSubstr("no tree here\nLine 3 is: fail no tree here"), HasSubstr("Said while it ran: hello"),
                    HasSubstr("say hello"), HasSubstr("long source of mineBlock")));
  EXPECT_THAT(prompt, HasSubstr("The rules are few.\nA line is a call."));
  EXPECT_TRUE(iterations()[0].success);
  EXPECT_EQ(iterations()[0].rounds, 2);
}

TEST_F(AgentTest, CodeThatCannotBeReadTakesARoundAndIsNotRun) {
  config.iterations = 1;
  config.rounds = 3;
  model.answers[Role::kAction] =
      in_turn({"I cannot.", block("what is this\n"), block("function mineBlock(bot)\nend\n")});
  run();
  const auto done = steps();
  ASSERT_EQ(done.size(), 3U);
  EXPECT_THAT(done[0].error->message, HasSubstr("no block of code that begins with ```fake"));
  EXPECT_EQ(done[0].code, "");
  EXPECT_THAT(done[1].error->message, HasSubstr("syntax error near 'what'"));
  EXPECT_EQ(done[1].code, "what is this\n");
  EXPECT_THAT(done[2].error->message, HasSubstr("mineBlock is there already"));
  EXPECT_EQ(tasks(), "Mine 1 wood log -\n");
  EXPECT_THAT(model.last_prompt(Role::kAction), HasSubstr("Line 1 is: what is this"));
  EXPECT_EQ(done[2].before.tick, 0);
}

TEST_F(AgentTest, TheSameAnswerToTheSameQuestionEndsTheTask) {
  config.iterations = 2;
  config.rounds = 9;
  model.answers[Role::kAction] = [](const std::string&) { return "I cannot."; };
  run();
  EXPECT_EQ(model.count(Role::kAction), 6) << "a task's second question has the error of the first, and its third too";
  EXPECT_EQ(tasks(), "Mine 1 wood log -\nGet 1 log -\n");
  EXPECT_EQ(iterations()[1].rounds, 3);
  EXPECT_THAT(steps()[1].error->message, HasSubstr("no block of code"));
  EXPECT_THAT(steps()[2].error->message, HasSubstr("the model gives the same answer again"));
  int answers = 0;
  model.answers[Role::kAction] = [&](const std::string&) { return "I cannot " + std::to_string(++answers); };
  run("another");
  EXPECT_EQ(answers, 18) << "who answers otherwise may yet say something";
}

TEST_F(AgentTest, BlocksAreJoinedOrTheLastThatCanBeReadIsTaken) {
  config.iterations = 3;
  config.skill_library = false;
  model.answers[Role::kAction] =
      in_turn({block("function helper(a)\nend\n") + "and\n" + block("function f(bot)\nget log\nend\n"),
               block("function g(bot)\nend\n") + "no, wait\n" + block("oh no\n"), "function h(bot)\nget log\nend\n"});
  run();
  const auto done = steps();
  ASSERT_EQ(done.size(), 3U);
  EXPECT_EQ(done[0].main, "f");
  EXPECT_THAT(done[0].code, HasSubstr("helper"));
  EXPECT_EQ(done[1].main, "g");
  EXPECT_EQ(done[2].main, "h") << "an answer of nothing but code";
}

TEST_F(AgentTest, TheCriticsAdviceGoesIntoTheNextRound) {
  config.iterations = 1;
  model.answers[Role::kCritic] = in_turn({R"({"reasoning": "", "success": false, "critique": "use an axe"})",
                                          R"({"reasoning": "r", "success": true, "critique": ""})"});
  run();
  EXPECT_THAT(model.last_prompt(Role::kAction), HasSubstr("Advice: use an axe"));
  EXPECT_THAT(model.last_prompt(Role::kCritic), HasSubstr("Changed: log +1"));
  EXPECT_EQ(steps()[0].judged, false);
  EXPECT_EQ(steps()[0].critique, "use an axe");
}

TEST_F(AgentTest, AVerdictThatNobodyCanReadIsNone) {
  config.iterations = 1;
  config.rounds = 1;
  model.answers[Role::kCritic] = [](const std::string&) { return "Lovely!"; };
  run();
  EXPECT_EQ(model.count(Role::kCritic), 5);
  EXPECT_THAT(model.last_prompt(Role::kCritic),
              HasSubstr("Your last answer could not be used: it holds no JSON object"));
  EXPECT_EQ(steps()[0].judged, std::nullopt);
  EXPECT_EQ(tasks(), "Mine 1 wood log -\n");
}

TEST_F(AgentTest, SkillsAreCalledAndNamed) {
  config.iterations = 2;
  model.answers[Role::kAction] =
      in_turn({block("function one(bot)\nget log\nend\n"), block("function wait(bot)\ncall one\ncall other\nend\n")});
  run();
  EXPECT_EQ(steps()[1].main, "wait") << "bot:wait is another name";
  EXPECT_THAT(steps()[1].skills_used, ElementsAre("one"));
  EXPECT_EQ(steps()[1].after.inventory.at("log"), 2);
  const RunStore store(folder("run"), RunStore::Open::kReading);
  EXPECT_THAT(store.skills()[1].uses, ElementsAre("one"));
  EXPECT_EQ(store.skills()[1].description, "It gets a log");
}

TEST_F(AgentTest, WithoutItsPartsItDoesWithoutThem) {
  config.skill_library = config.critic = config.feedback = false;
  model.answers[Role::kAction] =
      in_turn({block("function f(bot)\nsay hello\nfail oops\nend\n"), block("function f(bot)\nend\n")});
  run();
  EXPECT_EQ(model.count(Role::kCritic), 0);
  EXPECT_EQ(model.count(Role::kDescribe), 0);
  EXPECT_EQ(tasks(), "Mine 1 wood log +\nGet 1 log +\nGet 1 log +\n") << "code that ran to its end is success";
  EXPECT_EQ(steps()[1].judged, std::nullopt);
  for (const auto& [role, prompt] : model.asked) EXPECT_THAT(prompt, Not(HasSubstr("oops\nLine"))) << prompt;
  EXPECT_EQ(RunStore(folder("run"), RunStore::Open::kReading).skills().size(), 0U);
}

TEST_F(AgentTest, ARandomCurriculumDrawsWhatWasNotHad) {
  config.iterations = 30;
  config.random_curriculum = true;
  model.answers[Role::kAction] = [](const std::string& prompt) {
    const size_t at = prompt.rfind("Task: Obtain 1 ");
    const std::string item = prompt.substr(at + 15, prompt.find('\n', at) - at - 15);
    return block("function f(bot)\nget " + item + "\nend\n");
  };
  const Ending ending = run();
  EXPECT_EQ(ending.text, "every item of this world was had");
  EXPECT_EQ(iterations().size(), 3U);
  EXPECT_EQ(model.count(Role::kPropose), 0);
  const std::string first = tasks();
  config.seed = 5;
  run("other");
  EXPECT_NE(tasks("other").size(), 0U);
  EXPECT_EQ(iterations("other").size(), 3U);
}

TEST_F(AgentTest, AListOfTasksIsDoneInOrder) {
  config.tasks = {"Get 1 plank", "Get 1 log"};
  EXPECT_EQ(run().text, "all 2 tasks of the list were tried");
  EXPECT_EQ(tasks(), "Get 1 plank +\nGet 1 log +\n");
  EXPECT_EQ(steps()[0].checked, false) << "the world knows better than the critic";
}

TEST_F(AgentTest, ShortPromptsLeaveOutWhatHelpsLeast) {
  config.iterations = 1;
  config.prompt_bytes = 1;
  run();
  const std::string prompt = model.last_prompt(Role::kAction);
  EXPECT_THAT(prompt, AllOf(Not(HasSubstr("long source")), HasSubstr("mineBlock(bot, name, count)\n"),
                            HasSubstr("Task: Mine 1 wood log")));
  EXPECT_THAT(prompt, AllOf(Not(HasSubstr("The rules are few")), HasSubstr("A line is a call")));
}

TEST_F(AgentTest, ARunGoesOnByItsOwnConfiguration) {
  run();
  config.rounds = 9;
  try {
    run();
    ADD_FAILURE() << "another configuration";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("begun with rounds = 4, not 9"));
  }
  config.rounds = 4;
  config.iterations = 5;
  EXPECT_EQ(run().kind, Ending::Kind::kDone);
  EXPECT_EQ(iterations().size(), 5U);
}

TEST_F(AgentTest, AModelThatDoesNotAnswerLeavesWhatWasDone) {
  int calls = 0;
  model.before_call = [&] {
    if (++calls == 12) throw ModelError("tried 3 times: status 500");
  };
  EXPECT_THROW(run(), ModelError);
  const RunStore store(folder("run"), RunStore::Open::kReading);
  EXPECT_EQ(store.ending().at("kind"), "failed");
  EXPECT_EQ(store.last_number(), 11);
}

TEST_F(AgentTest, SkillsOfAnEarlierRunAreThereFromTheStart) {
  config.iterations = 1;
  config.skills = {{.name = "base", .code = "function base(bot)\ncall deep\nend\n", .description = "base"},
                   {.name = "deep", .code = "function deep(bot)\nget gem\nend\n", .description = "deep"}};
  model.answers[Role::kAction] = [](const std::string&) { return block("function top(bot)\ncall base\nend\n"); };
  run();
  EXPECT_THAT(steps()[0].skills_used, ElementsAre("base"));
  EXPECT_EQ(steps()[0].after.inventory.count("gem"), 1U);
  EXPECT_EQ(steps()[0].skills_shown.size(), 2U);
  const RunStore store(folder("run"), RunStore::Open::kReading);
  EXPECT_EQ(store.skills()[0].iteration, 0);
  EXPECT_THAT(store.skills()[0].uses, ElementsAre("deep"));
  EXPECT_FALSE(store.skills()[0].embedding.empty());
  config.skills[0].code = "const x = 1";
  EXPECT_THROW(run("other"), InvalidArgument);
  config.skills[0].code = "function another(bot)\nget gem\nend\n";
  EXPECT_THROW(run("another"), InvalidArgument) << "nobody could call it";
  config.skills[0].code = "slow\nfunction base(bot)\nend\n";
  try {
    run("slow");
    ADD_FAILURE() << "every round would wait for it";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "skill 'base' of the library cannot be loaded: base:1: is slow");
  }
}

TEST_F(AgentTest, ASkillTakesNoPlaceOfAPrimitive) {
  const auto begun_with = [this](const std::string& name) {
    config.skills = {{.name = name, .code = "function " + name + "(bot)\nend\n", .description = "d"}};
    config.iterations = 1;
    try {
      run(name);
      return std::string("begun");
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(begun_with("mineBlock"), HasSubstr("skill 'mineBlock' of the library is called like one of the world's"));
  EXPECT_EQ(begun_with("wait"), "begun") << "a call of the player's is no function";
}

TEST_F(AgentTest, WhatCannotBeLoadedIsNotKeptAsASkill) {
  config.iterations = 1;
  model.answers[Role::kAction] = [](const std::string&) { return block("slow\nfunction f(bot)\nget log\nend\n"); };
  run();
  EXPECT_TRUE(iterations()[0].success);
  EXPECT_EQ(iterations()[0].skill, "");
  EXPECT_EQ(RunStore(folder("run"), RunStore::Open::kReading).skills().size(), 0U);
  EXPECT_EQ(model.count(Role::kDescribe), 0);
}

TEST_F(AgentTest, BytesThatAreNoTextDoNoHarm) {
  config.iterations = 1;
  model.answers[Role::kAction] = [](const std::string&) { return block("function f(bot)\nsay \xFF\xC3\nend\n"); };
  run();
  EXPECT_EQ(steps()[0].events.at(0).text, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace caravel::voyager
