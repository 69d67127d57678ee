#include "voyager/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"

namespace caravel::voyager {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string task(std::string_view text) {
  const auto read = read_proposal(text);
  const auto* proposal = std::get_if<Proposal>(&read);
  return proposal != nullptr ? proposal->task : "? " + std::get<Unreadable>(read).why;
}

TEST(Answers, ATaskIsReadHoweverItIsWritten) {
  EXPECT_EQ(task(R"({"reasoning": "r", "task": "Mine 1 log"})"), "Mine 1 log");
  EXPECT_EQ(task("Sure!\n```json\n{\"task\": \"Mine 1 log\",}\n```\nGood luck"), "Mine 1 log");
  EXPECT_EQ(task("I think {'task': 'Mine 1 log'} is best"), "Mine 1 log");
  EXPECT_EQ(task("{\"task\": \"first idea\"} no: {\"reasoning\": \"a\", \"task\": \"Mine 1 log.\"}"), "Mine 1 log");
  EXPECT_EQ(task("Reasoning: wood first\nTask: Mine 1 log."), "Mine 1 log");
  EXPECT_EQ(task("**Task:** \"Mine 1 log\""), "Mine 1 log");
  EXPECT_EQ(task("{ not json } Task: x\n- task: Mine 1 log"), "Mine 1 log");
  EXPECT_EQ(task("{\"task\": \"Mine\\n 1 \\t log\"}"), "Mine 1 log");
}

TEST(Answers, WhatIsNoTaskSaysWhy) {
  EXPECT_THAT(task(""), HasSubstr("no JSON object"));
  EXPECT_THAT(task("Mine some wood, please"), HasSubstr("no JSON object"));
  EXPECT_THAT(task("{\"task\": 3}"), HasSubstr("no text"));
  EXPECT_THAT(task("{\"task\": \" . \"}"), HasSubstr("empty"));
  EXPECT_THAT(task("{\"task\": \"Mine 1 l"), HasSubstr("no JSON object"));
}

TEST(Answers, HostileBracketsTakeNoTime) {
  EXPECT_THAT(task(std::string(1 << 20, '{')), HasSubstr("no JSON"));
  EXPECT_THAT(task(std::string(1 << 20, '[')), HasSubstr("no JSON"));
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "{\"a\":";
  EXPECT_THAT(task(nested), HasSubstr("no JSON"));
}

std::vector<std::string> list(std::string_view text) {
  const auto read = read_list(text, "tasks", 3);
  const auto* tasks = std::get_if<std::vector<std::string>>(&read);
  return tasks != nullptr ? *tasks : std::vector<std::string>{"? " + std::get<Unreadable>(read).why};
}

TEST(Answers, AListIsReadHoweverItIsWritten) {
  EXPECT_THAT(list(R"({"reasoning": "", "tasks": ["a", "", "b"]})"), ElementsAre("a", "b"));
  EXPECT_THAT(list(R"(Here: ["a", "b"])"), ElementsAre("a", "b"));
  EXPECT_THAT(list("1. a\n2) b\n- c\n* d"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(list("Question 1: a\nConcept 1: x\nQuestion 2: b"), ElementsAre("a", "b"));
  EXPECT_THAT(list(R"({"tasks": ["a", 2]})"), ElementsAre(HasSubstr("no text")));
  EXPECT_THAT(list(R"({"tasks": "a"})"), ElementsAre(HasSubstr("no list")));
  EXPECT_THAT(list("nothing to do"), ElementsAre(HasSubstr("no JSON")));
}

std::string verdict(std::string_view text) {
  const auto read = read_verdict(text);
  const auto* said = std::get_if<Verdict>(&read);
  return said == nullptr ? "? " + std::get<Unreadable>(read).why : (said->success ? "yes " : "no ") + said->critique;
}

TEST(Answers, AVerdictIsReadHoweverItIsWritten) {
  EXPECT_EQ(verdict(R"({"reasoning": "r", "success": true, "critique": "c"})"), "yes c");
  EXPECT_EQ(verdict("{'success': False, 'critique': 'c'}"), "no c");
  EXPECT_EQ(verdict(R"({"success": "True"})"), "yes ");
  EXPECT_EQ(verdict("Success: no\nCritique: get more wood."), "no get more wood");
  EXPECT_THAT(verdict(R"({"success": "maybe"})"), HasSubstr("neither"));
  EXPECT_THAT(verdict(R"({"success": 1})"), HasSubstr("neither"));
  EXPECT_THAT(verdict("Well done!"), HasSubstr("no JSON"));
}

std::vector<std::string> blocks(std::string_view text) {
  std::vector<std::string> out;
  for (const CodeBlock& block : read_code_blocks(text)) out.push_back(block.language + "|" + block.code);
  return out;
}

TEST(Answers, BlocksOfCodeAreFoundByTheirFences) {
  EXPECT_THAT(blocks("Plan\n```lua\na\n```\ntext\n```\nb\n```"), ElementsAre("lua|a\n", "|b\n"));
  EXPECT_THAT(blocks("````lua\na\n```\nb\n````"), ElementsAre("lua|a\n```\nb\n"));
  EXPECT_THAT(blocks("~~~ Lua\na\r\n~~~"), ElementsAre("Lua|a\n"));
  EXPECT_THAT(blocks("```lua\nnever closed"), ElementsAre("lua|never closed\n"));
  EXPECT_THAT(blocks("```lua\n\n```"), ElementsAre());
  EXPECT_THAT(blocks("no code, ``` in a line"), ElementsAre());
}

TEST(Answers, ALineIsCutBetweenCharacters) {
  EXPECT_EQ(one_line("\xC3\xA9\xC3\xA9\xC3\xA9", 3), "\xC3\xA9");
  EXPECT_EQ(one_line("abc", 3), "abc");
  EXPECT_EQ(one_line("abcd", 3), "abc");
  EXPECT_EQ(one_line("  \"a.\"  "), "a");
}

}  // namespace
}  // namespace caravel::voyager
