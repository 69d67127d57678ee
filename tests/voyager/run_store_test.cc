#include "voyager/run_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "format/temp_folder.h"

namespace caravel::voyager {
namespace {

using testing::HasSubstr;

class RunStoreTest : public testing::Test {
 protected:
  std::string folder() const { return (folder_.path() / "run").string(); }
  format::TempFolder folder_;
};

CallRow some_call(int64_t number) {
  CallRow row{.number = number, .iteration = 4, .model = "m"};
  row.request = {Role::kCritic, {{"system", "judge"}, {"user", "this \xE2\x9C\x93"}}, "{}"};
  row.answer = {.text = "yes",
                .reasoning = "because",
                .is_cut = true,
                .prompt_tokens = 12,
                .completion_tokens = 3,
                .counted = false,
                .cost = 0.1 + 0.2,
                .seconds = 1.5,
                .retries = {"status 500"}};
  return row;
}

StepRow some_step(int64_t iteration, int round) {
  StepRow row{
      .iteration = iteration, .round = round, .code = "c", .main = "f", .skills_shown = {"a"}, .skills_used = {"b"}};
  row.events = {{Event::Kind::kHurt, 7, "zombie"}};
  row.error = CodeError{"message", "code", 3, "trace", true};
  row.before.position = {0.1, 2, -3};
  row.after.position = {4, 5, 6};
  row.after.inventory = {{"log", 2}};
  row.after.nearby_entities = {{"cow", 2.5}};
  row.critique = "do it";
  row.checked = false;
  return row;
}

TEST_F(RunStoreTest, WhatAKillLeftOfAFileIsRemovedByWhoWritesNext) {
  const std::string left = ".caravel-abcdefghijklmnopqrstuv01";
  for (const std::string& name : {left, left + "2", std::string(".caravel-mine"), std::string("a.txt")})
    folder_.write("run/" + name, "half");
  folder_.write("run/" + left + "x/" + left, "of another folder");
  {
    const RunStore writing(folder(), RunStore::Open::kWriting);
    EXPECT_FALSE(std::filesystem::exists(folder() + "/" + left));
    folder_.write("run/" + left, "being written");
    const RunStore reading(folder(), RunStore::Open::kReading);
  }
  for (const std::string& name :
       {left, left + "2", std::string(".caravel-mine"), std::string("a.txt"), left + "x/" + left})
    EXPECT_TRUE(std::filesystem::exists(folder() + "/" + name)) << name;
}

TEST_F(RunStoreTest, RowsComeBackAsTheyWere) {
  {
    RunStore store(folder(), RunStore::Open::kWriting);
    EXPECT_TRUE(store.setup().is_null());
    EXPECT_EQ(store.world(), std::nullopt);
    EXPECT_EQ(store.last_number(), 0);
    store.set_setup({{"a", 1}});
    store.add(some_call(1));
    store.add(EmbeddingRow{2, 4, "e", "text", {0.1F, -0.0F, 3}});
    store.put(some_step(4, 1));
    store.put(IterationRow{4, "task", "context", "reason", true, 2, "skill", 3});
    store.add(ItemRow{"log", 4, 9});
    store.add(ItemRow{"log", 5, 10});
    store.add(SkillRow{"s", 2, "code", "does", {1, 2}, {"t"}, 4});
    store.add(QuestionRow{"q?", "a.", {3}, 4});
    store.put_world(std::string("\0\xFF", 2), some_step(4, 1).after);
  }
  const RunStore store(folder(), RunStore::Open::kReading);
  EXPECT_EQ(to_text(store.setup()), R"({"a":1})");
  const CallRow call = store.call(1).value(), wanted = some_call(1);
  EXPECT_EQ(call.request.role, Role::kCritic);
  ASSERT_EQ(call.request.messages.size(), 2U);
  EXPECT_EQ(call.request.messages[1].role, "user");
  EXPECT_EQ(call.request.messages[1].content, wanted.request.messages[1].content);
  EXPECT_EQ(call.request.schema, "{}");
  EXPECT_EQ(call.answer.reasoning, "because");
  EXPECT_TRUE(call.answer.is_cut);
  EXPECT_FALSE(call.answer.counted);
  EXPECT_EQ(call.answer.cost, wanted.answer.cost);
  EXPECT_EQ(call.answer.retries, wanted.answer.retries);
  EXPECT_EQ(store.embedding(2).value().vector, (std::vector<float>{0.1F, -0.0F, 3}));
  EXPECT_EQ(store.call(2).has_value(), false);
  EXPECT_EQ(store.last_number(), 2);
  const StepRow step = store.step(4, 1).value(), put = some_step(4, 1);
  EXPECT_EQ(step.events, put.events);
  EXPECT_EQ(step.error, put.error);
  EXPECT_EQ(step.before, put.before);
  EXPECT_EQ(step.after, put.after);
  EXPECT_EQ(step.judged, std::nullopt);
  EXPECT_EQ(step.checked, false);
  ASSERT_EQ(store.items().size(), 1U) << "the first stays";
  EXPECT_EQ(store.items()[0].iteration, 4);
  const SkillRow skill = store.skills().at(0);
  EXPECT_EQ(skill.version, 2);
  EXPECT_EQ(skill.embedding, (std::vector<float>{1, 2}));
  EXPECT_EQ(skill.uses, std::vector<std::string>{"t"});
  EXPECT_EQ(store.questions().at(0).answer, "a.");
  EXPECT_EQ(store.world(), std::string("\0\xFF", 2));
  EXPECT_EQ(store.observation(), put.after);
  EXPECT_EQ(store.trail(), (std::vector<Position>{{0.1, 2, -3}, {4, 5, 6}}));
  EXPECT_EQ(store.last_iteration().value().number, 4);
  store.each_iteration([](const IterationRow& row) {
    EXPECT_EQ(row.number, 4);
    EXPECT_EQ(row.skill_version, 3);
    EXPECT_TRUE(row.success);
  });
}

TEST_F(RunStoreTest, AnotherRowOfTheSameStepTakesItsPlace) {
  RunStore store(folder(), RunStore::Open::kWriting);
  store.put(some_step(1, 2));
  StepRow other = some_step(1, 2);
  other.code = "other";
  store.put(other);
  int count = 0;
  store.each_step([&](const StepRow& row) { count += row.code == "other" ? 1 : 100; });
  EXPECT_EQ(count, 1);
}

TEST_F(RunStoreTest, WhatWasNotCommittedIsNotThere) {
  RunStore store(folder(), RunStore::Open::kWriting);
  store.begin();
  store.add(some_call(1));
  store.put_state({{"n", 1}});
  store.begin();
  store.put_state({{"n", 2}});
  store.commit();
  EXPECT_FALSE(store.call(1).has_value());
  EXPECT_EQ(store.state().at("n"), 2);
}

TEST_F(RunStoreTest, ARowOfSeveralStatementsOutlivesAKillWhole) {
  const pid_t child = ::fork();
  if (child == 0) {
    RunStore store(folder(), RunStore::Open::kWriting);
    store.add(some_call(1));
    store.begin();
    store.add(some_call(2));
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  RunStore store(folder(), RunStore::Open::kWriting);
  EXPECT_EQ(store.call(1).value().request.messages.at(0).content, "judge");
  EXPECT_FALSE(store.call(2).has_value());
}

TEST_F(RunStoreTest, TextsOfPromptsStandOnce) {
  RunStore store(folder(), RunStore::Open::kWriting);
  const std::string large(1 << 20, 'x');
  for (int64_t number = 1; number <= 20; ++number) {
    CallRow row = some_call(number);
    row.request.messages[0].content = large;
    store.add(row);
  }
  EXPECT_EQ(store.call(20).value().request.messages[0].content, large);
  EXPECT_LT(
      std::filesystem::file_size(folder() + "/voyage.db") + std::filesystem::file_size(folder() + "/voyage.db-wal"),
      4U << 20);
}

TEST_F(RunStoreTest, TotalsAreOfTheChats) {
  RunStore store(folder(), RunStore::Open::kWriting);
  store.add(some_call(1));
  store.add(some_call(3));
  const RunTotals totals = store.totals();
  EXPECT_EQ(totals.calls, 2);
  EXPECT_EQ(totals.prompt_tokens, 24);
  EXPECT_EQ(totals.completion_tokens, 6);
  EXPECT_FALSE(totals.counted);
  EXPECT_EQ(totals.seconds, 3);
}

TEST_F(RunStoreTest, OneWrites) {
  const RunStore first(folder(), RunStore::Open::kWriting);
  try {
    const RunStore second(folder(), RunStore::Open::kWriting);
    ADD_FAILURE() << "two write";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("another voyage writes"));
  }
  const RunStore reader(folder(), RunStore::Open::kReading);
}

TEST_F(RunStoreTest, ReadingWantsARun) {
  EXPECT_THROW(RunStore(folder(), RunStore::Open::kReading), NotFound);
  EXPECT_FALSE(std::filesystem::exists(folder()));
  folder_.write("run/voyage.db", "this is no database, but long enough to be one, with a header of its own.....");
  EXPECT_THROW(RunStore(folder(), RunStore::Open::kReading), FormatError);
}

}  // namespace
}  // namespace caravel::voyager
