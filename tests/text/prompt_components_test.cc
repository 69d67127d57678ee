#include "text/prompt_components.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace caravel::text {
namespace {

using testing::HasSubstr;

constexpr const char* kYaml = R"(instruction: Classify.
supporting_content: Films.
examples:
  - {input: I laughed., output: good, reasoning: Laughing is good.}
  - input: I left.
    output: bad
    reasoning: Leaving is bad.
primary_content: |
  It was long.
)";

constexpr const char* kJson = R"({"instruction": "Classify.", "supporting_content": "Films.", "examples": [
  {"input": "I laughed.", "output": "good", "reasoning": "Laughing is good."},
  {"input": "I left.", "output": "bad", "reasoning": "Leaving is bad."}],
  "primary_content": "It was long.\n"})";

template <typename E>
std::string prompt_refusal(std::string_view text) {
  try {
    parse_prompt_components(text, "p.yaml");
  } catch (const E& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PromptComponents, YamlAndJsonRenderTheSamePlainPrompt) {
  const std::string expected =
      "Classify.\n\nInput: I laughed.\nOutput: good\n\nInput: I left.\nOutput: bad\n\nFilms.\n\nInput: It was "
      "long.\n\nOutput:";
  EXPECT_EQ(render_prompt(parse_prompt_components(kYaml, "y")), expected);
  EXPECT_EQ(render_prompt(parse_prompt_components(kJson, "j")), expected);
}

TEST(PromptComponents, NumbersAreTextsInYamlAlone) {
  EXPECT_EQ(parse_prompt_components("primary_content: 5", "y").primary_content, "5");
  EXPECT_EQ(parse_prompt_components("{primary_content: five}", "y").primary_content, "five");
  for (const char* value : {"5", "-2.5e3", "true", "false"}) {
    EXPECT_THAT(prompt_refusal<FormatError>("{\n\"primary_content\": " + std::string(value) + "}"),
                testing::HasSubstr("p.yaml, line 2: 'primary_content' must be a text"))
        << value;
  }
}

TEST(PromptComponents, ShotsTakeTheFirstExamples) {
  const PromptComponents components = parse_prompt_components(kJson, "j");
  EXPECT_EQ(render_prompt(components, {.shots = 0}), "Classify.\n\nFilms.\n\nIt was long.\n");
  EXPECT_EQ(render_prompt(components, {.shots = 1}),
            "Classify.\n\nInput: I laughed.\nOutput: good\n\nFilms.\n\nInput: It was long.\n\nOutput:");
  EXPECT_THROW(render_prompt(components, {.shots = 3}), InvalidArgument);
}

TEST(PromptComponents, ChainOfThoughtShowsReasoningAndAsksForIt) {
  PromptComponents components{.primary_content = "3+3?", .examples = {{"2+2?", "4", "Two and two."}}};
  EXPECT_EQ(render_prompt(components, {.chain_of_thought = true}),
            "Input: 2+2?\nOutput: Two and two.\n4\n\nInput: 3+3?\nOutput: Let's think step by step.");
  components.cue = "Well,";
  EXPECT_EQ(render_prompt(components, {.shots = 0, .chain_of_thought = true}), "3+3?\n\nWell,");
  components.examples[0].reasoning.clear();
  EXPECT_THROW(render_prompt(components, {.chain_of_thought = true}), InvalidArgument);
}

TEST(PromptComponents, MessagesPutExamplesIntoTurns) {
  const auto messages = render_prompt_messages(parse_prompt_components(kJson, "j"), {.shots = 1});
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].dump(), R"({"role":"system","content":"Classify."})");
  EXPECT_EQ(messages[2].dump(), R"({"role":"assistant","content":"good"})");
  EXPECT_EQ(messages[3].dump(), R"({"role":"user","content":"Films.\n\nIt was long.\n"})");
}

TEST(PromptComponents, JsonSurrogatesBecomeOneCharacter) {
  EXPECT_EQ(parse_prompt_components(R"({"primary_content": "\ud83d\ude80 \\ud83d"})", "j").primary_content,
            "\xF0\x9F\x9A\x80 \\ud83d");
}

TEST(PromptComponents, RefusalsNameTheKeyAndTheLine) {
  EXPECT_THAT(prompt_refusal<FormatError>("instruction: a\nprimry_content: b\n"),
              HasSubstr("p.yaml, line 2: the prompt has no 'primry_content'"));
  EXPECT_THAT(prompt_refusal<FormatError>("instruction: a\n"), HasSubstr("'primary_content' is missing"));
  EXPECT_THAT(prompt_refusal<FormatError>("primary_content: a\ncue: [1]\n"), HasSubstr("line 2: 'cue' must be a text"));
  EXPECT_THAT(prompt_refusal<FormatError>("primary_content: a\nexamples:\n  - input: b\n"),
              HasSubstr("line 3: 'output' is missing"));
  EXPECT_THAT(prompt_refusal<FormatError>("a: [\n"), HasSubstr("p.yaml, line"));
  EXPECT_THAT(prompt_refusal<FormatError>("just text"), HasSubstr("must be a mapping"));
  EXPECT_THAT(prompt_refusal<FormatError>(std::string(100000, '[')), HasSubstr("p.yaml, line"));
}

TEST(PromptComponents, AliasesCannotFillTheMemory) {
  std::string bomb = "primary_content: &a \"" + std::string(100000, 'x') + "\"\nexamples:\n";
  for (int i = 0; i < 500; ++i) bomb += "  - {input: *a, output: *a}\n";
  EXPECT_THAT(prompt_refusal<CapacityError>(bomb), HasSubstr("once aliases are followed"));
  EXPECT_THAT(prompt_refusal<CapacityError>(std::string(2 << 20, 'x')), HasSubstr("at most 1048576"));
}

}  // namespace
}  // namespace caravel::text
