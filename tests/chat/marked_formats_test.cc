#include "chat/parsing.h"

namespace caravel::chat {
namespace {

const std::string kArgumentText = R"({"city": "Zürich \"HB\" \u00e9 }]``` <｜tool▁call▁end｜>", "n": [1, {"a": []}]})";
const Call kWeather{"get_weather", kArgumentText};
const std::string kCallObject = R"({"name": "get_weather", "arguments": )" + kArgumentText + "}";

Parsed deepseek(std::string_view text) { return parse(ToolFormat::kDeepSeek, text); }
Parsed granite(std::string_view text) { return parse(ToolFormat::kGranite, text); }
Parsed phi(std::string_view text) { return parse(ToolFormat::kPhi, text); }
Parsed olmo(std::string_view text) { return parse(ToolFormat::kOlmo, text); }

const std::string kBegin = "<｜tool▁calls▁begin｜>";
const std::string kEnd = "<｜tool▁calls▁end｜>";
const std::string kOneBegin = "<｜tool▁call▁begin｜>";
const std::string kOneEnd = "<｜tool▁call▁end｜>";
const std::string kSep = "<｜tool▁sep｜>";

/// V3's and R1's form.
std::string fenced(const std::string& name, const std::string& arguments) {
  return kOneBegin + "function" + kSep + name + "\n```json\n" + arguments + "\n```" + kOneEnd;
}

TEST(DeepSeek, Calls) {
  EXPECT_EQ(deepseek("Sure.\n" + kBegin + fenced("get_weather", kArgumentText) + "\n" + fenced("add", "{}") + kEnd),
            calls({kWeather, {"add", "{}"}}, "Sure."));
  EXPECT_EQ(deepseek(kBegin + kOneBegin + "get_weather" + kSep + kArgumentText + kOneEnd + kOneBegin + "add" + kSep +
                     "{}" + kOneEnd + kEnd + "ok"),
            calls({kWeather, {"add", "{}"}}, "ok"))
      << "V3.1";
  EXPECT_EQ(deepseek(kOneBegin + "add" + kSep + "```json\n{}```" + kOneEnd), calls({{"add", "{}"}})) << "the two mixed";
  EXPECT_EQ(deepseek(kBegin + kOneBegin + "function" + kSep + "add\n{\"a\": 1}}" + kOneEnd + kEnd),
            calls({{"add", R"({"a": 1})"}}));
  EXPECT_EQ(deepseek(kBegin + kOneBegin + "add" + kSep + "{}"), calls({{"add", "{}"}})) << "what closes it is missing";
  EXPECT_EQ(deepseek(kBegin + kOneBegin + "add" + kSep + "{}" + kOneBegin + "add" + kSep + "{}" + "<｜tool"),
            calls({{"add", "{}"}, {"add", "{}"}}));
}

TEST(DeepSeek, UnreadableArgumentsEndWithTheirCall) {
  EXPECT_EQ(deepseek(kBegin + fenced("add", "{\"a\": oops}") + fenced("add", "{}") + kEnd),
            calls({{"add", "{\"a\": oops}"}, {"add", "{}"}}));
  EXPECT_EQ(deepseek(kBegin + kOneBegin + "add" + kSep + "{\"a\": [1" + kOneEnd + kEnd + "ok"),
            calls({{"add", R"({"a": [1]})"}}, "ok"));
}

TEST(DeepSeek, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const std::string& text :
       {kBegin, kBegin + kEnd.substr(0, 5), kBegin + kEnd, kBegin + "I cannot.", kBegin + fenced("rm", "{}") + kEnd,
        kBegin + kOneBegin + "add" + kSep, kBegin + kOneBegin + "add" + kSep + "[1]", kOneBegin + "add(1)",
        kBegin + kOneBegin + "function" + kSep + "add\n```python\n{}", kOneBegin + std::string(400, 'x')}) {
    EXPECT_EQ(deepseek(text), content(text));
  }
}

TEST(Granite, Calls) {
  EXPECT_EQ(granite("<|tool_call|>[" + kCallObject + ", " + kCallObject + "]"), calls({kWeather, kWeather}));
  EXPECT_EQ(granite("Yes.\n<tool_call> [" + kCallObject + "]\n"), calls({kWeather}, "Yes."));
  EXPECT_EQ(granite("<|tool_call|>" + kCallObject + " so"), calls({kWeather}, " so"));
  EXPECT_EQ(granite("<|tool_call|>[" + kCallObject + " ] so"), calls({kWeather}, " so")) << "the bracket is the list's";
  EXPECT_EQ(granite("<|tool_call|>[" + kCallObject + ", "), calls({kWeather}));
  EXPECT_EQ(granite("<|tool_call|>[{\"name\": \"add\", \"arguments\": {\"a\": oops}}]"),
            calls({{"add", "{\"a\": oops}"}}));
}

TEST(Phi, Calls) {
  EXPECT_EQ(phi("<|tool_call|>[" + kCallObject + "]<|/tool_call|>"), calls({kWeather}));
  EXPECT_EQ(phi("functools[" + kCallObject + "," + kCallObject + "]"), calls({kWeather, kWeather})) << "lists within";
  EXPECT_EQ(phi("<|tool_call|>[{\"name\": \"add\", \"arguments\": {\"a\": oops}}]<|/tool_call|>ok"),
            calls({{"add", "{\"a\": oops}"}}, "ok"));
  EXPECT_EQ(phi("<|tool_call|>[{\"name\": \"add\", \"arguments\": {\"a\": 1<|/tool_call|>"),
            calls({{"add", R"({"a": 1})"}}));
}

TEST(Phi, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text : {"functools", "functools.reduce([1, 2])", "functools[1]", "functools[]", "<|tool_call|>",
                           "<|tool_call|>[{\"name\": \"rm\", \"arguments\": {}}]<|/tool_call|>", "[{}]",
                           "<|tool_call|>[[]]", "functools[{\"name\": \"add\", \"arg"}) {
    EXPECT_EQ(phi(text), content(text));
  }
}

TEST(Olmo, Calls) {
  EXPECT_EQ(olmo("Let me.\n<function_calls>\nget_weather(city='Zürich', on=true, at=null)\nadd()\n</function_calls>"),
            calls({{"get_weather", R"({"city":"Zürich","on":true,"at":null})"}, {"add", "{}"}}, "Let me."));
  EXPECT_EQ(olmo("<function_calls>add(a=\"</function_calls>\", b={'k': [None]})</function_calls> ok"),
            calls({{"add", R"({"a":"</function_calls>","b":{"k":[null]}})"}}, " ok"));
  EXPECT_EQ(olmo("<function_calls>add(**{\"a\": 1.50, 'b': []})</function_"),
            calls({{"add", R"({"a": 1.50, "b": []})"}}));
}

TEST(Olmo, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text :
       {"<function_calls>", "<function_calls></function_calls> ok", "<function_calls>rm()</function_calls>",
        "<function_calls>add(1)</function_calls>", "<function_calls>add(a=1", "add(a=1)",
        "<function_calls>add(**[1])</function_calls>", "<function_calls>add(**{}, a=1)</function_calls>",
        "<function_calls>add(*{})</function_calls>", "<functions>[]</functions>"}) {
    EXPECT_EQ(olmo(text), content(text));
  }
}

}  // namespace
}  // namespace caravel::chat
