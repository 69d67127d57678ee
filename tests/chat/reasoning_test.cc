#include "chat/parsing.h"

namespace caravel::chat {
namespace {

const ReasoningMarks kThink{"<think>", "</think>", false};
const ReasoningMarks kOpened{"<think>", "</think>", true};

Parsed parsed(std::string_view text, const ReasoningMarks& marks) { return parse(ToolFormat::kHermes, text, marks); }

TEST(Reasoning, IsSetApart) {
  EXPECT_EQ(parsed("<think>\nHm, ünd\n\nso.\n</think>\n\nYes.\n", kThink), (Parsed{"Yes.\n", "Hm, ünd\n\nso.", {}}));
  EXPECT_EQ(parsed("\n<think></think>Yes.", kThink), (Parsed{"Yes.", "", {}}));
  EXPECT_EQ(parsed("Hm. </think>Yes.", kOpened), (Parsed{"Yes.", "Hm.", {}}));
  EXPECT_EQ(parsed("a </thin</think>b <think>c</think>", kOpened), (Parsed{"b <think>c</think>", "a </thin", {}}));
}

TEST(Reasoning, CutAnswersKeepIt) {
  EXPECT_EQ(parsed("<think>Hm. \n", kThink), (Parsed{"", "Hm.", {}}));
  EXPECT_EQ(parsed("<think>Hm. </thi", kThink), (Parsed{"", "Hm. </thi", {}}));
  EXPECT_EQ(parsed("Hm", kOpened), (Parsed{"", "Hm", {}}));
  EXPECT_EQ(parsed("<thi", kThink), content("<thi"));
}

TEST(Reasoning, AnswersWithoutItAreContent) {
  for (const char* text : {"Yes.", "", "\n", "  <b>Yes</b>", "Yes <think>no</think>", "<thinking>"}) {
    EXPECT_EQ(parsed(text, kThink), content(text));
  }
}

TEST(Reasoning, CallsWithinItAreNotMade) {
  const std::string call = R"(<tool_call>{"name": "add", "arguments": {}}</tool_call>)";
  EXPECT_EQ(parsed("<think>" + call + "</think>\n" + call, kThink), (Parsed{"", call, {{"add", "{}"}}}));
}

TEST(Reasoning, AMarkThatTextsDoNotHoldEndsIt) {
  const std::string call =
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
  EXPECT_EQ(parse(ToolFormat::kDeepSeek, "Hm.\n" + call, kOpened), (Parsed{"", "Hm.", {{"add", "{}"}}}));
  EXPECT_EQ(parse(ToolFormat::kDeepSeek, "<think>Hm <｜tool" + call, kThink),
            (Parsed{"", "Hm <｜tool", {{"add", "{}"}}}));
  EXPECT_EQ(parse(ToolFormat::kDeepSeek, "Hm.\n" + call, kOpened, nullptr).calls.size(), 0U) << "without tools";
  EXPECT_EQ(parse(ToolFormat::kMistral, "[THINK]Hm.[TOOL_CALLS]add[ARGS]{}", {"[THINK]", "[/THINK]", false}),
            (Parsed{"", "Hm.", {{"add", "{}"}}}));
  EXPECT_EQ(parse(ToolFormat::kMiniMax,
                  "Hm.\n</think>\n\n<minimax:tool_call>\n<invoke name=\"add\">\n</invoke>\n"
                  "</minimax:tool_call>",
                  kOpened),
            (Parsed{"", "Hm.", {{"add", "{}"}}}));
}

TEST(Reasoning, MarksComeFromTheTemplate) {
  EXPECT_EQ(reasoning_marks("{{ messages }}", "x").end, "");
  const ReasoningMarks marks = reasoning_marks("... '<think>' ... split('</think>')", "user: hi\nassistant: <think>\n");
  EXPECT_EQ(marks.begin, "<think>");
  EXPECT_EQ(marks.end, "</think>");
  EXPECT_TRUE(marks.opened_by_template);
  EXPECT_FALSE(reasoning_marks("</think>", "assistant: <think>\n\n</think>\n\n").opened_by_template);
  EXPECT_EQ(reasoning_marks("[THINK]...[/THINK]", "").begin, "[THINK]");
}

}  // namespace
}  // namespace caravel::chat
