#include <ctime>
#include <map>
#include <string>

#include "chat/parsing.h"

namespace caravel::chat {
namespace {

const std::string kArguments = R"({"city": "Zürich \"HB\" \u00e9 }]", "n": [1, -2.5e3, {"a": null}]})";

class CallsOfEveryFormat : public testing::TestWithParam<ToolFormat> {};
INSTANTIATE_TEST_SUITE_P(Formats, CallsOfEveryFormat, testing::ValuesIn(kCallFormats));

TEST_P(CallsOfEveryFormat, PlainAnswersAreContent) {
  for (const char* text : {"Hello, wörld.", "", " \n", "  padded \n\n", "a < b, [x], `y`, ```z```, {curly}", "<", "[",
                           "`", "{", "[\n", "<|", "<tool_", "``", "{\"name\": \"get_weather\"}", "[1, 2]",
                           "Use <tool_call> or [TOOL_CALLS] or ```json or <|python_tag|> for that.",
                           "{\"name\": \"get_weather\", \"arguments\": ", "```json\n{\"a\": 1}\n```\nDone."}) {
    EXPECT_EQ(parse(GetParam(), text), content(text));
  }
}

TEST_P(CallsOfEveryFormat, WithoutToolsNothingIsACall) {
  const std::string text = R"({"name": "add", "arguments": {}} <tool_call>{"name": "add", "arguments": {}})";
  EXPECT_EQ(parse(GetParam(), text, {}, nullptr), content(text));
  EXPECT_EQ(parse(GetParam(), text, {}, ordered_json::array()), content(text));
}

/// Seconds of the processor for an answer, byte by byte.
double seconds_to_read(ToolFormat format, const std::string& text) {
  const std::clock_t begin = std::clock();
  parse_cut(format, tools_named({"get_weather", "add"}), {}, text, [] { return 1; });
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// A model may write white space until its answer is cut.
TEST_P(CallsOfEveryFormat, WhiteSpaceTakesTimeByItsLength) {
  for (const std::string before :
       {"", "Yes.", "<tool_call>", "[TOOL_CALLS]", "{\"name\": \"add\", \"arguments\": {", "<|channel|>",
        "<|channel|>commentary to=functions.add<|message|>", "<|channel|>commentary to=functions.add<|message|>{oops",
        "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": [", "<tool_call>\n<function=add>\n<parameter=a>"}) {
    const double some = seconds_to_read(GetParam(), before + std::string(100'000, '\n'));
    const double many = seconds_to_read(GetParam(), before + std::string(800'000, '\n'));
    EXPECT_LT(many, 32 * some + 0.1) << before;
  }
}

TEST(Hermes, Calls) {
  const auto parsed = [](const std::string& text) { return parse(ToolFormat::kHermes, text); };
  const Call weather{"get_weather", kArguments};
  EXPECT_EQ(parsed("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": " + kArguments + "}\n</tool_call>"),
            calls({weather}));
  EXPECT_EQ(parsed("Let me see.\n<tool_call>{\"arguments\":" + kArguments +
                   " , \"id\": 12, \"name\":\"get_weather\"}\n"
                   "</tool_call>\n<tool_call>{\"name\": \"\\u0061dd\", \"arguments\": {}}</tool_call>\n"),
            calls({weather, {"add", "{}"}}, "Let me see."));
  EXPECT_EQ(parsed(R"(<tool_call>{"name": "add", "arguments": {"s": "</tool_call>"}}</tool_call> and more)"),
            calls({{"add", R"({"s": "</tool_call>"})"}}, " and more"));
}

TEST(Hermes, WhatFollowsACallWithoutItsClosingMarkIsStillRead) {
  const std::string call = R"(<tool_call>{"name": "add", "arguments": {}})";
  EXPECT_EQ(parse(ToolFormat::kHermes, call + call), calls({{"add", "{}"}, {"add", "{}"}}));
  EXPECT_EQ(parse(ToolFormat::kHermes, call + "\n</tool_"), calls({{"add", "{}"}}));
  EXPECT_EQ(parse(ToolFormat::kHermes, call + " </tool_box>"), calls({{"add", "{}"}}, " </tool_box>"));
}

TEST(Hermes, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text :
       {"<tool_call>", "<tool_call>\n", "<tool_call>add()</tool_call>",
        R"(<tool_call>{"name": "rm", "arguments": {}}</tool_call>)", R"(<tool_call>{"name": "add"}</tool_call>)",
        R"(<tool_call>{"name": "add", "arguments": "{}"}</tool_call>)", R"(<tool_call>{"name": "add", "argum)",
        R"(<tool_call>{"arguments": {"a": 1}, "name": "ad)",
        R"(<tool_call>{"arguments": {"a": 01}, "name": "add"}</tool_call>)",
        R"(<tool_call>{'name': 'add'}</tool_call>)", R"(a  <tool_call>{"name" "add"})", "<tool_call><tool_call>",
        "<tool_call>{}</tool_call>"}) {
    EXPECT_EQ(parse(ToolFormat::kHermes, text), content(text));
  }
}

TEST(Hermes, ACallMayFollowWhatWasNone) {
  const std::string call = R"(<tool_call>{"name": "add", "arguments": {}}</tool_call>)";
  EXPECT_EQ(parse(ToolFormat::kHermes, "<tool_call>" + call), calls({{"add", "{}"}}, "<tool_call>"));
  EXPECT_EQ(parse(ToolFormat::kHermes, "<tool_call>{ oops }\n" + call), calls({{"add", "{}"}}, "<tool_call>{ oops }"));
}

TEST(Hermes, ArgumentsThatBreakOffLeaveWhatCameOfThem) {
  for (const char* arguments : {R"({"a": 1, "b)", R"({"a": 1,)", R"({"a": Tr)", R"({"a": "x\)", "{"}) {
    EXPECT_EQ(parse(ToolFormat::kHermes, R"(<tool_call>{"name": "add", "arguments": )" + std::string(arguments)),
              calls({{"add", arguments}}));
  }
}

TEST(Hermes, BracketsMayBeMissingOrTooMany) {
  const std::string begin = R"(<tool_call>{"name": "add", "arguments": )";
  const auto parsed = [&](const std::string& rest) { return parse(ToolFormat::kHermes, begin + rest); };
  EXPECT_EQ(parsed(R"({"a": 1}</tool_call>)"), calls({{"add", R"({"a": 1})"}}));
  EXPECT_EQ(parsed("{\"a\": 1}}}\n</tool_call> ok"), calls({{"add", R"({"a": 1})"}}, " ok"));
  EXPECT_EQ(parsed(R"({"a": {"b": [1, 2</tool_call>)"), calls({{"add", R"({"a": {"b": [1, 2]}})"}}));
  EXPECT_EQ(parsed(R"({"a": 1},}</tool_call>)"), calls({{"add", R"({"a": 1})"}}));
  EXPECT_EQ(parsed(R"({"a": 1} <b>)"), calls({{"add", R"({"a": 1})"}}, "<b>"));
  EXPECT_EQ(parse(ToolFormat::kHermes, R"(<tool_call>{'name': 'add', 'arguments': {'a': None}}</tool_call>)"),
            calls({{"add", R"({"a": null})"}}));
}

TEST(Hermes, UnreadableArgumentsAreGivenAsWritten) {
  const std::string call = R"(<tool_call>{"name": "add", "arguments": )";
  const auto parsed = [&](const std::string& rest) { return parse(ToolFormat::kHermes, call + rest); };
  EXPECT_EQ(parsed("{\"a\": oops}}\n</tool_call>"), calls({{"add", R"({"a": oops})"}}));
  EXPECT_EQ(parsed("{\"a\": oops}\n</tool_call>\nDone."), calls({{"add", R"({"a": oops})"}}, "\nDone."));
  EXPECT_EQ(parsed(R"({"a": oops, "b": {"c": 1}}}</tool_call>)" + call + "{}}</tool_call>"),
            calls({{"add", R"({"a": oops, "b": {"c": 1}})"}, {"add", "{}"}}));
  EXPECT_EQ(parsed(R"({"a": "say "hi" </b> {x}"}} )" + call + "{}}"),
            calls({{"add", R"({"a": "say "hi" </b> {x}"})"}, {"add", "{}"}}));
  EXPECT_EQ(parsed(R"({"a": oops}} and so on)"), calls({{"add", R"({"a": oops}} and so on)"}}));
}

/// However the model wrote its arguments, they are the call's, and all formats read them alike.
TEST_P(CallsOfEveryFormat, ArgumentsAreReadAsTheModelMeantThem) {
  // OLMo's arguments are Python's; harmony's are ended by a mark alone.
  static const std::map<ToolFormat, std::pair<std::string, std::string>> kAround = {
      {ToolFormat::kHermes, {R"(<tool_call>{"name": "add", "arguments": )", "}</tool_call>"}},
      {ToolFormat::kLlama3, {R"({"name": "add", "parameters": )", "}"}},
      {ToolFormat::kMistral, {R"([TOOL_CALLS][{"name": "add", "arguments": )", "}]"}},
      {ToolFormat::kGemma, {"```json\n{\"name\": \"add\", \"parameters\": ", "}\n```"}},
      {ToolFormat::kHarmony, {"<|channel|>commentary to=functions.add <|constrain|>json<|message|>", "<|call|>"}},
      {ToolFormat::kDeepSeek,
       {"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n",
        "\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"}},
      {ToolFormat::kGlm, {"<tool_call>add\n", "\n</tool_call>"}},
      {ToolFormat::kMiniMax, {"<invoke name=\"add\">\n", "\n</invoke>"}},
      {ToolFormat::kQwen, {"<tool_call>\n<function=add>\n", "\n</function>\n</tool_call>"}},
      {ToolFormat::kGranite, {R"(<|tool_call|>[{"name": "add", "arguments": )", "}]"}},
      {ToolFormat::kPhi, {R"(functools[{"name": "add", "arguments": )", "}]"}},
      {ToolFormat::kGeneral, {R"(<tool_call>{"name": "add", "arguments": )", "}</tool_call>"}}};
  const auto around = kAround.find(GetParam());
  if (around == kAround.end()) return;
  const auto& [opening, end] = around->second;
  const auto read = [&](const std::string& arguments) {
    const Parsed parsed = parse(GetParam(), opening + arguments + end);
    EXPECT_EQ(parsed.content, "") << arguments;
    EXPECT_EQ(parsed.calls.size(), 1U) << arguments;
    return parsed.calls.empty() ? std::string() : parsed.calls[0].arguments;
  };
  EXPECT_EQ(read("{\"zone\": \"U\nTC\t\"}"), R"({"zone": "U\nTC\t"})");
  EXPECT_EQ(read("{'a': True, 'b': [1, None,],}"), R"({"a": true, "b": [1, null]})");
  EXPECT_EQ(read("{a: 1}"), R"({"a": 1})");
  EXPECT_EQ(read("{\"a\": oops, \"b\": [{}]}"), "{\"a\": oops, \"b\": [{}]}") << "as written";
  EXPECT_EQ(read("{\"a\": \"say \"hi\"\"}"), "{\"a\": \"say \"hi\"\"}") << "as written";
}

TEST(Mistral, NamedCallsWithUnreadableArgumentsEndAtTheNextMark) {
  EXPECT_EQ(parse(ToolFormat::kMistral, "[TOOL_CALLS]add[ARGS]{\"a\": oops}\n[TOOL_CALLS]add[ARGS]{'b': 'c\nd'}"),
            calls({{"add", R"({"a": oops})"}, {"add", R"({"b": "c\nd"})"}}));
  EXPECT_EQ(parse(ToolFormat::kMistral, R"([TOOL_CALLS][{"name": "add", "arguments": {"a": 1}])"),
            calls({{"add", R"({"a": 1})"}}));
}

TEST(Hermes, ArgumentsStreamAsTheyAreWritten) {
  const auto parser = make_output_parser(ToolFormat::kHermes, tools_named({"add"}), {});
  EXPECT_TRUE(parser->feed("<tool_call>{\"name\": \"add\", \"arguments\": ").empty());
  EXPECT_EQ(parser->feed("{\"a\""),
            (std::vector<Piece>{{Piece::Kind::kToolCall, 0, "add"}, {Piece::Kind::kToolArguments, 0, "{\"a\""}}));
  EXPECT_EQ(parser->feed(": 1"), (std::vector<Piece>{{Piece::Kind::kToolArguments, 0, ": 1"}}));
}

TEST(Llama3, Calls) {
  const auto parsed = [](const std::string& text) { return parse(ToolFormat::kLlama3, text); };
  const std::string call = R"({"name": "get_weather", "parameters": )" + kArguments + "}";
  const Call weather{"get_weather", kArguments};
  EXPECT_EQ(parsed(call), calls({weather}));
  EXPECT_EQ(parsed("\n<|python_tag|>" + call + "\n"), calls({weather}));
  EXPECT_EQ(parsed(call + "; " + call), calls({weather, weather}));
  EXPECT_EQ(parsed("<|python_tag|>" + call + "<|python_tag|>" + call), calls({weather, weather}));
  EXPECT_EQ(parsed(R"({"type": "function", "name": "add", "parameters": {}} ok)"), calls({{"add", "{}"}}, " ok"));
  EXPECT_EQ(parsed("See <|python_tag|>" + call), calls({weather}, "See"));
}

TEST(Llama3, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text : {R"({"name": "Bob", "parameters": {}})", R"({"name": "add", "age": 3})", R"({"a": 1})",
                           R"(See {"name": "add", "parameters": {}})", "<|python_tag|>add.call(a=1)", "<|python_tag|>",
                           "<|python_tag|>;{}"}) {
    EXPECT_EQ(parse(ToolFormat::kLlama3, text), content(text));
  }
  const std::string call = R"({"name": "add", "parameters": {}})";
  EXPECT_EQ(parse(ToolFormat::kLlama3, call + "; {\"name\": \"rm\"}"), calls({{"add", "{}"}}, "; {\"name\": \"rm\"}"));
}

TEST(Mistral, Calls) {
  const auto parsed = [](const std::string& text) { return parse(ToolFormat::kMistral, text); };
  const std::string call = R"({"name": "get_weather", "arguments": )" + kArguments + "}";
  const std::string add = R"({"name": "add", "arguments": {}, "id": "VvvODy9mT"})";
  const Call weather{"get_weather", kArguments};
  EXPECT_EQ(parsed("[TOOL_CALLS][" + call + ", " + add + "]"), calls({weather, {"add", "{}"}}));
  EXPECT_EQ(parsed("[TOOL_CALLS] [" + call + "]\n"), calls({weather}));
  EXPECT_EQ(parsed("[TOOL_CALLS]" + call), calls({weather}));
  EXPECT_EQ(parsed(" [" + call + "]"), calls({weather}));
  EXPECT_EQ(parsed("[TOOL_CALLS]get_weather[ARGS]" + kArguments + "[TOOL_CALLS]add[CALL_ID]a1[ARGS]{}"),
            calls({weather, {"add", "{}"}}));
  EXPECT_EQ(parsed("Sure. [TOOL_CALLS]get_weather " + kArguments), calls({weather}, "Sure."));
  EXPECT_EQ(parsed("[TOOL_CALLS][" + add + ", "), calls({{"add", "{}"}}));
}

TEST(Mistral, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text : {"[TOOL_CALLS]", "[TOOL_CALLS] I cannot.", "[TOOL_CALLS][]", "[TOOL_CALLS][1]", "[1, {}]",
                           R"([{"name": "rm", "arguments": {}}])", "[TOOL_CALLS]rm[ARGS]{}", "[TOOL_CALLS]add[ARG]{}",
                           "[TOOL_CALLS]add[ARGS]", R"(See [{"name": "add", "arguments": {}}])"}) {
    EXPECT_EQ(parse(ToolFormat::kMistral, text), content(text));
  }
}

TEST(Gemma, CallsInJson) {
  const auto parsed = [](const std::string& text) { return parse(ToolFormat::kGemma, text); };
  const std::string call = R"({"name": "get_weather", "parameters": )" + kArguments + "}";
  const Call weather{"get_weather", kArguments};
  EXPECT_EQ(parsed("```json\n" + call + "\n```"), calls({weather}));
  EXPECT_EQ(parsed("Here:\n```tool_code\n[" + call + ",\n" + call + "]\n```\nDone."),
            calls({weather, weather}, "Here:\nDone."));
  EXPECT_EQ(parsed(call), calls({weather}));
  EXPECT_EQ(parsed("[" + call + ", " + call + "]"), calls({weather, weather}));
}

TEST(Gemma, CallsInPython) {
  const auto parsed = [](const std::string& text) { return parse(ToolFormat::kGemma, text); };
  EXPECT_EQ(parsed("```tool_code\nadd(a=1, b=-2.5)\nget_weather(city='Zürich', x=None)\n```"),
            calls({{"add", R"({"a":1,"b":-2.5})"}, {"get_weather", R"({"city":"Zürich","x":null})"}}));
  EXPECT_EQ(parsed("```tool_code\nadd(a=18446744073709551616, b=0.1234567890123456789)\n```"),
            calls({{"add", R"({"a":18446744073709551616,"b":0.1234567890123456789})"}}));
  EXPECT_EQ(parsed("```tool_code\nadd(a='x\ny', b=\"\\d\", c={'k': (1)})\n```"),
            content("```tool_code\nadd(a='x\ny', b=\"\\d\", c={'k': (1)})\n```"));
  EXPECT_EQ(parsed("```tool_code\nadd(a='x\ny', b=\"\\d\")\n```"), calls({{"add", R"({"a":"x\ny","b":"\\d"})"}}));
  EXPECT_EQ(parsed(R"([add(), get_weather(city="it's )]", l=[True, {'k': "\x41\n\"\'"},], d={})])"),
            calls({{"add", "{}"}, {"get_weather", R"({"city":"it's )]","l":[true,{"k":"A\n\"'"}],"d":{}})"}}));
}

TEST(Gemma, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text :
       {"```json\n{\"a\": 1}\n```", "```tool_code\nprint(1)\n```", "```tool_code\nadd(1)\n```", "[Note] hello",
        "```tool_code\nadd(a=1", "```tool_code\nadd(a=b)\n```", "```tool_code\nadd(a=1, a=2)\n```", "[add]", "add(a=1)",
        "```tool_code\nadd(a=[1)\n```", "```jsonl\n{}\n```", "```tool_code\nadd(a='x)\n```"}) {
    EXPECT_EQ(parse(ToolFormat::kGemma, text), content(text));
  }
}

/// Texts made of what parsers look for, in any order: no cut may change what they come to, and none may be lost where
/// nothing was a call.
TEST_P(CallsOfEveryFormat, RandomTextsComeOutAlikeHoweverCut) {
  const std::string parts[] = {"<tool_call>",
                               "</tool_call>",
                               "<|python_tag|>",
                               "[TOOL_CALLS]",
                               "```json",
                               "```tool_code",
                               "```",
                               "{",
                               "}",
                               "[",
                               "]",
                               "[ARGS]",
                               "\"name\"",
                               "\"arguments\"",
                               "\"parameters\"",
                               ":",
                               ",",
                               "\"add\"",
                               "add",
                               "(",
                               ")",
                               "a=",
                               "1",
                               "'x'",
                               "\"",
                               "\\",
                               "\n",
                               " ",
                               "é",
                               ";",
                               R"({"name": "add", "arguments": )",
                               R"({"a": "b"})",
                               R"({"name": "rm", )",
                               R"(<tool_call>{"name": "add", "arguments": {"a": 1)",
                               R"([TOOL_CALLS][{"name": "add", "arguments": {})",
                               R"({"name":"add","parameters":{}})",
                               R"({"name": "add", "arguments": {"a": oops)",
                               R"({'name': 'add', 'parameters': {'a': True,})",
                               "[TOOL_CALLS]add[ARGS]{\"a\": ",
                               "<think>",
                               "</think>",
                               "<tool_call>add\n",
                               "<arg_key>a</arg_key>",
                               "<arg_value>1</arg_value>",
                               "<arg_value>",
                               "</arg_value>",
                               "<arg_key>",
                               "<minimax:tool_call>",
                               "</minimax:tool_call>",
                               "<invoke name=\"add\">",
                               "<parameter name=\"a\">x</parameter>",
                               "<parameter name=\"b\">",
                               "</parameter>",
                               "</invoke>",
                               "<function_calls>add(a=1)",
                               "<function_calls>add(",
                               "<function_calls>",
                               "</function_calls>",
                               "<|tool_call|>",
                               "<|/tool_call|>",
                               "functools",
                               "<｜tool▁calls▁begin｜>",
                               "<｜tool▁calls▁end｜>",
                               "<｜tool▁call▁begin｜>",
                               "<｜tool▁call▁end｜>",
                               "function<｜tool▁sep｜>add\n```json\n",
                               "<｜tool▁call▁begin｜>add<｜tool▁sep｜>",
                               "to=functions.add",
                               "<function=add>",
                               "<parameter=a>\nx\n</parameter>",
                               "</function>",
                               "assistant",
                               "to",
                               "<|channel|>commentary to=functions.add<|message|>{"};
  std::mt19937 random(7);
  const ReasoningMarks marks{"<think>", "</think>", false};
  int called = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int part = 0, count = static_cast<int>(random() % 12); part < count; ++part) {
      text += parts[random() % std::size(parts)];
    }
    const Parsed parsed = parse(GetParam(), text, round % 2 == 0 ? marks : ReasoningMarks{});
    called += parsed.calls.empty() ? 0 : 1;
    if (parsed.calls.empty() && round % 2 != 0) {
      EXPECT_EQ(parsed.content, text);
    }
  }
  EXPECT_GT(called, 10);
}

}  // namespace
}  // namespace caravel::chat
