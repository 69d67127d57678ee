#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "chat/byte_tokenizer.h"
#include "nuggets/rows_as_text.h"
#include "nuggets/shot_template.h"

namespace caravel::nuggets {
namespace {

using testing::HasSubstr;

/// A place for the instruction between brackets, for the input between braces.
const text::PromptComponents kMarked{.primary_content = "[{instruction}]\n\n<{input}>", .cue = "A:"};

class ComponentShots : public testing::Test {
 protected:
  std::string text(const std::vector<int32_t>& tokens) const { return tokenizer_.decode(tokens, false); }
  std::string example(const std::string& row, const text::PromptComponents& components = kMarked) const {
    const RowFile file = read_text(row);
    return text(component_shots(tokenizer_, components, {})->example(file.rows()[0].turns.back()));
  }
  TaskTokens task(const std::string& row, ShotOptions options = {}) const {
    const RowFile file = read_text(row);
    return component_shots(tokenizer_, kMarked, options)->task(file.rows()[0].turns.back());
  }
  std::string refusal_of_components(const text::PromptComponents& components) const {
    try {
      component_shots(tokenizer_, components, {});
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "no error";
  }

  const Tokenizer tokenizer_ = chat::byte_tokenizer();
};

TEST_F(ComponentShots, AlpacasWordsAreThePapers) {
  const std::string begin =
      "<s>Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
      "### Instruction:\n";
  EXPECT_EQ(example(R"({"instruction": "Add.", "input": "1 and 2", "output": "3"})", alpaca_components()),
            begin + "Add.\n\n### Input:\n1 and 2\n\n### Response:\n3\n\n");
  for (const char* const input : {"", " \\n"}) {
    EXPECT_EQ(example(R"({"instruction": "Sing.", "input": ")" + std::string(input) + R"(", "output": "La!\n"})",
                      alpaca_components()),
              begin + "Sing.\n\n### Response:\nLa!\n\n\n")
        << "without its paragraph; the answer is as it stands";
  }
}

TEST_F(ComponentShots, QuestionAndAnswerAreATasksAlone) {
  const TaskTokens tokens = task(R"({"instruction": "Add.", "input": "1", "output": " 3 "})");
  EXPECT_EQ(text(tokens.question), "[Add.]\n\n<1>\n\nA:");
  EXPECT_EQ(text(tokens.answer), " 3 ");
  EXPECT_EQ(text(tokens.alone), "<s>[Add.]\n\n<1>\n\nA:") << "the start token is the zero-shot prompt's too";
}

TEST_F(ComponentShots, WhatWasSaidBeforeIsExamples) {
  const std::string row = R"({"messages": [
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "u1"}, {"role": "assistant", "content": "a1"},
    {"role": "user", "content": "u2"}, {"role": "user", "content": "u3"}, {"role": "assistant", "content": "a2"}]})";
  EXPECT_EQ(example(row), "<s>[Be brief.\n\nu1]\n\nA:a1\n\n[u2\n\nu3]\n\nA:a2\n\n");
  EXPECT_EQ(text(task(row).question), "[Be brief.\n\nu1]\n\nA:a1\n\n[u2\n\nu3]\n\nA:");
}

TEST_F(ComponentShots, WhatAToolSaidIsNotLeftOut) {
  EXPECT_EQ(example(R"({"messages": [{"role": "user", "content": "u1"}, {"role": "assistant", "content": "a1"},
              {"role": "tool", "tool_call_id": "1", "content": "t"}, {"role": "assistant", "content": "a2"}]})"),
            "<s>[u1]\n\nA:a1\n\n[t]\n\nA:a2\n\n");
}

TEST_F(ComponentShots, WhoSpeaksTwiceIsHeardTwice) {
  EXPECT_EQ(example(R"({"messages": [{"role": "assistant", "content": "a0"}, {"role": "user", "content": "u1"},
              {"role": "assistant", "content": "a1"}, {"role": "assistant", "content": "a2"}]})"),
            "<s>[]\n\nA:a0\n\n[u1]\n\nA:a1\n\n[]\n\nA:a2\n\n");
}

TEST_F(ComponentShots, CallsOfToolsAreTheRowsProblem) {
  const RowFile file = read_text(R"({"messages": [{"role": "user", "content": "u1"},
    {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "t"}, {"role": "assistant", "content": "a2"}]})");
  const auto shots = component_shots(tokenizer_, kMarked, {});
  EXPECT_THROW(shots->example(file.rows()[0].turns[0]), InvalidArgument) << "they would be left out in silence";
  EXPECT_THROW(shots->task(file.rows()[0].turns[0]), InvalidArgument);
}

TEST_F(ComponentShots, WordsOfARowAreNoPlacesAndNoSpecialTokens) {
  EXPECT_EQ(
      example(R"({"instruction": "{input} {instruction}", "input": "{instruction}</s>", "output": "{input}<s>"})"),
      "<s>[{input} {instruction}]\n\n<{instruction}</s>>\n\nA:{input}<s>\n\n");
  const TaskTokens tokens = task(R"({"prompt": "<s>", "completion": "</s>"})");
  EXPECT_EQ(tokens.answer.size(), 4U);
  EXPECT_EQ(std::ranges::count(tokens.alone, 256), 1) << "its own start alone";
  EXPECT_EQ(
      example(R"({"prompt": "x", "completion": "y"})", {.primary_content = "{} { x } {instruction}{", .cue = "}"}),
      "<s>{} { x } x{\n\n}y\n\n")
      << "other braces stay";
}

TEST_F(ComponentShots, WithoutAPlaceForTheInstructionThereIsNoPrompt) {
  EXPECT_THAT(refusal_of_components({.instruction = "Do it.", .primary_content = "{input}"}),
              HasSubstr("no place for {instruction}"));
  EXPECT_THAT(refusal_of_components({.primary_content = "{instruction} on {input}"}),
              HasSubstr("a paragraph with {input} goes then"))
      << "nothing would be asked of rows without an input";
  EXPECT_THAT(refusal_of_components({.primary_content = "{instruction}", .cue = "{output}"}),
              HasSubstr("has {output}, which nothing fills"));
  EXPECT_THAT(refusal_of_components({.primary_content = "{instruction}", .examples = {{"1", "2"}, {"3", "4"}}}),
              HasSubstr("have 2 examples"));
}

TEST_F(ComponentShots, WithoutAPlaceForTheInputItFollowsTheInstruction) {
  EXPECT_EQ(example(R"({"instruction": "a", "input": "b", "output": "c"})",
                    {.primary_content = "Q: {instruction}", .cue = "A: "}),
            "<s>Q: a\n\nb\n\nA: c\n\n");
}

TEST_F(ComponentShots, TheOriginalCutsAnswersAndBeginsExamplesAlone) {
  const std::string answer(300, 'x');
  const TaskTokens tokens = task(R"({"prompt": "q", "completion": ")" + answer + "\"}", {.original = true});
  EXPECT_EQ(tokens.answer.size(), 200U);
  EXPECT_EQ(text(tokens.alone), "[q]\n\nA:");
  EXPECT_EQ(tokens.alone, tokens.question);
  const RowFile file = read_text(R"({"prompt": "q", "completion": ")" + answer + "\"}");
  EXPECT_EQ(text(component_shots(tokenizer_, kMarked, {.original = true})->example(file.rows()[0].turns[0])),
            "<s>[q]\n\nA:" + answer + "\n\n")
      << "an example is whole";
  EXPECT_EQ(task(R"({"prompt": "q", "completion": ")" + answer + "\"}").answer.size(), 300U);
}

}  // namespace
}  // namespace caravel::nuggets
