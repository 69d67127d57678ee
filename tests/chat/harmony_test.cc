#include "chat/harmony.h"

#include "chat/parsing.h"

namespace caravel::chat {
namespace {

const ReasoningMarks kChannels{.begin = "<|channel|>", .end = "<|message|>", .in_channels = true};

Parsed harmony(std::string_view text) { return parse(ToolFormat::kHarmony, text, kChannels); }

const std::string kThought = "<|channel|>analysis<|message|>Hm.\n<|end|>";
const std::string kNext = "<|start|>assistant";
const std::string kFinal = "<|channel|>final<|message|>Yes, `{}` < 3.";

TEST(Harmony, ChannelsAreReasoningAndContent) {
  EXPECT_EQ(harmony(kThought + kNext + kFinal), (Parsed{"Yes, `{}` < 3.", "Hm.\n", {}}));
  EXPECT_EQ(harmony(kThought + kNext + kThought + kNext + kFinal + "<|return|>"),
            (Parsed{"Yes, `{}` < 3.", "Hm.\n\n\nHm.\n", {}}));
  EXPECT_EQ(parse(ToolFormat::kNone, kThought + kNext + kFinal, kChannels, nullptr),
            (Parsed{"Yes, `{}` < 3.", "Hm.\n", {}}))
      << "without tools";
}

TEST(Harmony, CallsStandInAnyChannelWithTheRecipientInEitherPlace) {
  const std::string arguments = R"({"city": "Zürich \"x\"", "n": [1, {}]})";
  const Parsed expected{"", "Hm.\n", {{"get_weather", arguments}}};
  for (const char* header :
       {"<|channel|>commentary to=functions.get_weather <|constrain|>json",
        " to=functions.get_weather<|channel|>commentary json", "<|channel|>analysis to=functions.get_weather code",
        "<|channel|>commentary to=functions.get_weather<|constrain|>json", "<|channel|>commentary to=get_weather",
        " to=functions.get_weather"}) {
    EXPECT_EQ(harmony(kThought + kNext + header + "<|message|>" + arguments + "<|call|>"), expected) << header;
  }
  EXPECT_EQ(harmony(" to=functions.add<|channel|>commentary json<|message|>{}<|call|><|start|>assistant"
                    " to=functions.get_weather<|channel|>commentary json<|message|>" +
                    arguments),
            calls({{"add", "{}"}, {"get_weather", arguments}}));
}

TEST(Harmony, WhatIsSaidBeforeACallIsContent) {
  EXPECT_EQ(harmony("<|channel|>commentary<|message|>I will look.<|end|><|start|>assistant<|channel|>commentary "
                    "to=functions.add <|constrain|>json<|message|>{\"a\": 1}"),
            calls({{"add", R"({"a": 1})"}}, "I will look."));
  EXPECT_EQ(harmony("<|channel|>commentary to=assistant<|message|>One.<|end|>" + kNext + kFinal).content,
            "One.\n\nYes, `{}` < 3.");
}

TEST(Harmony, HeadersMayBeIncompleteOrSpoilt) {
  EXPECT_EQ(harmony("Yes."), content("Yes.")) << "none at all";
  EXPECT_EQ(harmony("to be"), content("to be"));
  EXPECT_EQ(harmony("assistance"), content("assistance"));
  EXPECT_EQ(harmony(" assistant to"), content(" assistant to"));
  EXPECT_EQ(harmony("<|message|>Yes."), content("Yes."));
  EXPECT_EQ(harmony("assistant" + kFinal), content("Yes, `{}` < 3."));
  EXPECT_EQ(harmony(kThought + "assistant" + kFinal), (Parsed{"Yes, `{}` < 3.", "Hm.\n", {}})) << "no <|start|>";
  EXPECT_EQ(harmony(kThought + "Yes."), (Parsed{"Yes.", "Hm.\n", {}}));
  EXPECT_EQ(harmony(kThought + kFinal), (Parsed{"Yes, `{}` < 3.", "Hm.\n", {}}));
  EXPECT_EQ(harmony("<|channel|>analysis<|message|>Hm." + kFinal), (Parsed{"Yes, `{}` < 3.", "Hm.", {}}))
      << "no <|end|>";
  EXPECT_EQ(harmony("<|channel|>commentary?<|message|>Yes."), content("Yes."));
  EXPECT_EQ(harmony("<|channel|>commentary to=assistant<|channel|>commentary?!<|end|>" + kNext + kFinal),
            content("Yes, `{}` < 3."));
  EXPECT_EQ(harmony("<|channel|>thoughts<|message|>Hm.<|end|>" + kNext + kFinal),
            (Parsed{"Yes, `{}` < 3.", "Hm.", {}}));
}

TEST(Harmony, ACallOfWhatIsNoToolIsContentWhole) {
  for (const char* text : {"<|channel|>commentary to=functions.rm <|constrain|>json<|message|>{}<|call|>",
                           " to=python<|channel|>commentary code<|message|>1 + 1<|call|>",
                           "<|channel|>commentary to=functions.add<|message|>a = 1<|call|>",
                           "<|channel|>commentary to=functions.add<|message|> <|call|>"}) {
    EXPECT_EQ(harmony(text), content(text));
  }
}

TEST(Harmony, UnreadableArgumentsEndWithTheirMessage) {
  const std::string call = "<|channel|>commentary to=functions.add <|constrain|>json<|message|>";
  EXPECT_EQ(harmony(call + "{\"a\": oops} \n<|call|>" + kNext + call + "{'b': True,}"),
            calls({{"add", "{\"a\": oops}"}, {"add", R"({"b": true})"}}));
  EXPECT_EQ(harmony(call + "{\"a\": [1<|call|>"), calls({{"add", R"({"a": [1]})"}}));
  EXPECT_EQ(harmony(call + "{\"a\": \"x<|call|>"), calls({{"add", R"({"a": "x)"}}));
  EXPECT_EQ(harmony(call + "{}}\n<|end|>" + kNext + kFinal), calls({{"add", "{}"}}, "Yes, `{}` < 3."));
}

TEST(Harmony, CutAnswersKeepWhatCame) {
  EXPECT_EQ(harmony("<|channel|>analysis<|message|>Hm.<|e"), (Parsed{"", "Hm.<|e", {}}));
  EXPECT_EQ(harmony(kThought + kNext + "<|channel|>fin"), (Parsed{"", "Hm.\n", {}})) << "a header is no text";
  EXPECT_EQ(harmony("<|channel|>commentary to=functions.add<|message|>{\"a\": Tr"), calls({{"add", "{\"a\": Tr"}}));
}

TEST(Harmony, RandomMessagesComeOutAlikeHoweverCut) {
  const std::string parts[] = {"<|start|>",
                               "<|channel|>",
                               "<|message|>",
                               "<|end|>",
                               "<|call|>",
                               "<|return|>",
                               "<|constrain|>",
                               "assistant",
                               "analysis",
                               "final",
                               "commentary",
                               " to=functions.add",
                               " to=x",
                               "json",
                               "{",
                               "}",
                               "\"a\": 1",
                               "oops",
                               "\"",
                               "\n",
                               " ",
                               "é",
                               "<|",
                               "to",
                               "{}",
                               "<|channel|>commentary to=functions.add<|message|>{",
                               "<|channel|>final<|message|>Yes"};
  std::mt19937 random(11);
  int called = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = random() % 14; count > 0; --count) text += parts[random() % std::size(parts)];
    called += harmony(text).calls.empty() ? 0 : 1;
  }
  EXPECT_GT(called, 100);
}

TEST(Harmony, ComesFromTheTemplate) {
  const ReasoningMarks marks = reasoning_marks("{{ '<|start|>assistant<|channel|>final<|message|>' }}", "");
  EXPECT_TRUE(marks.in_channels);
  EXPECT_EQ(marks.begin, "<|channel|>");
  EXPECT_FALSE(reasoning_marks("<|channel|>", "").in_channels);
}

}  // namespace
}  // namespace caravel::chat
