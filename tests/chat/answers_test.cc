#include "chat/answers.h"

#include <gtest/gtest.h>

#include <random>

#include "chat/parsing.h"
#include "chat/scripted_handle.h"

namespace caravel::chat {
namespace {

AnswerLayout layout() {
  return {.format = ToolFormat::kHermes,
          .tools = tools_named({"get_weather", "add"}),
          .marks = {.begin = "<think>", .end = "</think>", .opened_by_template = false}};
}

constexpr const char* kAnswer =
    "<think>Rome, I guess.</think>Let me see.\n"
    "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>\n"
    "<tool_call>\n{\"name\": \"add\", \"arguments\": {}}\n</tool_call>";

/// A delta for each byte, with a token of its own, of answer number `index`.
std::vector<Delta> bytes_of(const std::string& text, int index = 0) {
  std::vector<Delta> deltas;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto token = static_cast<int32_t>(i);
    deltas.push_back({.index = index,
                      .text = text.substr(i, 1),
                      .token_ids = {token},
                      .logprobs = {{.token = token, .logprob = -1, .rank = 1, .top = {}}}});
  }
  deltas.back().finish_reason = FinishReason::kStop;
  deltas.back().stop_reason = "end";
  return deltas;
}

std::unique_ptr<RequestHandle> read(std::vector<Delta> deltas, const AnswerLayout& with = layout()) {
  return read_answers(std::make_unique<ScriptedHandle>(std::move(deltas)), with);
}

Parsed whole(const Completion& completion) {
  Parsed parsed{completion.content, completion.reasoning, {}};
  for (const ToolCall& call : completion.tool_calls) parsed.calls.push_back({call.name, call.arguments});
  return parsed;
}

TEST(ReadAnswers, PiecesAddUpToTheCompletion) {
  const auto handle = read(bytes_of(kAnswer));
  Parsed sum;
  std::string text;
  std::vector<int32_t> tokens;
  size_t logprobs = 0;
  Delta last;
  while (Next next = handle->next()) {
    EXPECT_TRUE(!next->pieces.empty() || next->finish_reason != FinishReason::kNone) << "an idle delta";
    join(next->pieces, sum);
    text += next->text;
    tokens.insert(tokens.end(), next->token_ids.begin(), next->token_ids.end());
    logprobs += next->logprobs.size();
    last = std::move(*next);
  }
  const Completion& completion = handle->result().completions.at(0);
  EXPECT_EQ(sum, (Parsed{"Let me see.", "Rome, I guess.", {{"get_weather", R"({"city": "Rome"})"}, {"add", "{}"}}}));
  EXPECT_EQ(sum, whole(completion));
  EXPECT_EQ(text, kAnswer);
  EXPECT_EQ(text, completion.text);
  EXPECT_EQ(tokens, completion.token_ids);
  EXPECT_EQ(logprobs, tokens.size());
  EXPECT_EQ(last.finish_reason, FinishReason::kStop);
  EXPECT_EQ(last.stop_reason, "end");
  EXPECT_TRUE(completion.tool_calls[0].id.starts_with("call_"));
  EXPECT_NE(completion.tool_calls[0].id, completion.tool_calls[1].id);
}

TEST(ReadAnswers, TheResultIsThereForThoseWhoTakeNoDeltas) {
  const auto handle = read(bytes_of(kAnswer));
  EXPECT_EQ(handle->result().completions.at(0).reasoning, "Rome, I guess.");
  EXPECT_TRUE(handle->next()) << "deltas are there yet";
}

TEST(ReadAnswers, AnswersOfOneRequestAreReadApart) {
  const std::vector<Delta> first = bytes_of(kAnswer, 0);
  const std::vector<Delta> second = bytes_of("<think>Hm.</think>Yes.", 1);
  std::vector<Delta> mixed;
  for (size_t i = 0; i < first.size(); ++i) {
    mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  const auto handle = read(mixed);
  Parsed sums[2];
  while (const Next next = handle->next()) join(next->pieces, sums[next->index]);
  for (const Completion& completion : handle->result().completions) {
    EXPECT_EQ(sums[completion.index], whole(completion));
  }
  EXPECT_EQ(sums[1], (Parsed{"Yes.", "Hm.", {}}));
}

TEST(ReadAnswers, WhatIsNotPassedOnIsInNeither) {
  AnswerLayout with = layout();
  with.with_reasoning = false;
  with.single_call = true;
  const auto handle = read(bytes_of(kAnswer), with);
  Parsed sum;
  size_t tokens = 0;
  while (const Next next = handle->next()) {
    join(next->pieces, sum);
    tokens += next->token_ids.size();
  }
  EXPECT_EQ(sum, (Parsed{"Let me see.", "", {{"get_weather", R"({"city": "Rome"})"}}}));
  EXPECT_EQ(sum, whole(handle->result().completions.at(0)));
  EXPECT_EQ(tokens, std::string(kAnswer).size()) << "tokens are all told";
}

TEST(ReadAnswers, AForcedCallThatIsCutLeavesNoMarkupAsContent) {
  AnswerLayout with = layout();
  with.marks = {};
  with.calls_alone = true;
  const std::string call = "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>";
  const std::string both = call + "\n" + call;
  for (size_t length = 1; length <= both.size(); ++length) {
    std::vector<Delta> deltas = bytes_of(both.substr(0, length));
    deltas.back().finish_reason = FinishReason::kLength;
    const auto handle = read(std::move(deltas), with);
    Parsed sum;
    while (const Next next = handle->next()) join(next->pieces, sum);
    const Parsed parsed = whole(handle->result().completions.at(0));
    EXPECT_EQ(parsed.content, "") << length;
    EXPECT_EQ(parsed, sum) << length;
    if (length < call.size()) continue;
    EXPECT_EQ(parsed.calls.front().arguments, "{\"a\": 1}") << length;
  }
}

TEST(ReadAnswers, IdsHaveTheLengthThatTheTemplateDemands) {
  AnswerLayout with = layout();
  with.call_id_length = 9;
  const auto handle = read(bytes_of(kAnswer), with);
  for (const ToolCall& call : handle->result().completions.at(0).tool_calls) {
    EXPECT_EQ(call.id.size(), 9U);
    EXPECT_EQ(call.id.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
              std::string::npos);
  }
}

TEST(ReadAnswers, ByDefaultAllIsContent) {
  const auto handle = read(bytes_of(kAnswer), {});
  EXPECT_EQ(whole(handle->result().completions.at(0)), content(kAnswer));
}

}  // namespace
}  // namespace caravel::chat
