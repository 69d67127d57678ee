#include "chat/argument_kinds.h"
#include "chat/parsing.h"

namespace caravel::chat {
namespace {

const ordered_json& typed_tools() {
  static const ordered_json kTools = ordered_json::parse(R"([
    {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "write", "parameters": {"type": "object", "$defs": {
        "Unit": {"type": "string", "enum": ["1", "2"]}, "Round": {"$ref": "#/$defs/Round"}},
      "properties": {
        "text": {"type": "string"}, "n": {"type": "integer"}, "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {}}, "object": {"type": "object"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "many": {"type": ["string", "integer"]},
        "unit": {"$ref": "#/$defs/Unit"}, "round": {"$ref": "#/$defs/Round"}, "lost": {"$ref": "http://x/y"},
        "choice": {"enum": ["a", "b"]}, "odd": 7}}}}])");
  return kTools;
}

Parsed glm(std::string_view text) { return parse(ToolFormat::kGlm, text, {}, typed_tools()); }
Parsed minimax(std::string_view text) { return parse(ToolFormat::kMiniMax, text, {}, typed_tools()); }

/// GLM's spelling of one argument.
std::string argument(const std::string& name, const std::string& value) {
  return "<arg_key>" + name + "</arg_key>\n<arg_value>" + value + "</arg_value>\n";
}

std::string one_call(const std::string& arguments) { return "<tool_call>write\n" + arguments + "</tool_call>"; }

TEST(Glm, Calls) {
  EXPECT_EQ(glm("I will.\n" + one_call(argument("text", "Zürich \"HB\" \\ é }]") + argument("n", "3")) +
                "\n<tool_call>now\n"
                "</tool_call>\n"),
            calls({{"write", R"({"text": "Zürich \"HB\" \\ é }]", "n": 3})"}, {"now", "{}"}}, "I will."));
  // GLM-4.7 breaks no lines, and a call without arguments is its name alone.
  EXPECT_EQ(
      glm("<tool_call>write<arg_key>text</arg_key><arg_value>a</arg_value></tool_call><tool_call>now</tool_call>"),
      calls({{"write", R"({"text": "a"})"}, {"now", "{}"}}));
  EXPECT_EQ(glm("<tool_call>write\n{\"text\": 'a'}\n</tool_call> ok"), calls({{"write", R"({"text": "a"})"}}, " ok"))
      << "GLM-4's form, and that of forced calls";
  EXPECT_EQ(glm("<tool_call>{\"name\": \"write\", \"arguments\": {\"n\": 1}}\n</tool_call><tool_call>now</tool_call>"),
            calls({{"write", R"({"n": 1})"}, {"now", "{}"}}))
      << "Hermes's";
}

TEST(Glm, AStringIsTakenByteForByte) {
  EXPECT_EQ(
      glm(one_call(argument("text", "\n  def f():\n\treturn \"</tool_call>\" <arg_key> </arg\n"))).calls[0].arguments,
      R"({"text": "\n  def f():\n\treturn \"</tool_call>\" <arg_key> </arg\n"})");
  for (const char* text : {"12", "null", "true", "{\"a\": 1}", "\"quoted\"", ""}) {
    EXPECT_EQ(glm(one_call(argument("text", text))).calls[0].arguments,
              "{\"text\": " + ordered_json(text).dump() + "}");
  }
}

// Its first value may have been streamed.
TEST(Glm, AnArgumentThatIsGivenTwiceHasItsFirstValue) {
  for (const auto& [name, first, second] :
       {std::tuple("text", "a", "b"), std::tuple("n", "1", "2"), std::tuple("list", "[1]", "[")}) {
    const std::string kept = one_call(argument(name, first) + argument("flag", "true"));
    EXPECT_EQ(glm(one_call(argument(name, first) + argument(name, second) + argument("flag", "true"))), glm(kept));
  }
  EXPECT_EQ(
      glm("<tool_call>write\n" + argument("text", "a") + "<arg_key>text</arg_key>\n<arg_value>b").calls[0].arguments,
      glm("<tool_call>write\n" + argument("text", "a")).calls[0].arguments)
      << "cut within the second";
}

TEST(Glm, StringsStreamAndOtherValuesComeWhole) {
  const auto parser = make_output_parser(ToolFormat::kGlm, typed_tools(), {});
  EXPECT_TRUE(parser->feed("<tool_call>write\n").empty());
  parser->feed("<arg_key>text</arg_key>\n<arg_value>");
  EXPECT_EQ(parser->feed("long\n</arg"), (std::vector<Piece>{{Piece::Kind::kToolArguments, 0, "long\\n"}}));
  parser->feed("_value><arg_key>n</arg_key><arg_value>");
  EXPECT_TRUE(parser->feed("12").empty());
  EXPECT_EQ(parser->feed("</arg_value>"), (std::vector<Piece>{{Piece::Kind::kToolArguments, 0, "12"}}));
}

TEST(Glm, ValuesAreWhatTheSchemaSays) {
  const auto value = [](const std::string& name, const std::string& text) {
    const std::string arguments = glm(one_call(argument(name, text))).calls.at(0).arguments;
    const std::string begin = "{\"" + name + "\": ";
    EXPECT_TRUE(arguments.starts_with(begin)) << arguments;
    return arguments.substr(begin.size(), arguments.size() - begin.size() - 1);
  };
  EXPECT_EQ(value("n", " 5\n"), "5");
  EXPECT_EQ(value("n", "18446744073709551616"), "18446744073709551616");
  EXPECT_EQ(value("n", "five"), "\"five\"") << "what is no JSON is a string, and the tool refuses it";
  EXPECT_EQ(value("flag", "True"), "true");
  EXPECT_EQ(value("list", "[1, 'a',]"), R"([1, "a"])");
  EXPECT_EQ(value("list", "[1, 2"), R"("[1, 2")");
  EXPECT_EQ(value("object", "{\"a\": {\"b\": null}}"), R"({"a": {"b": null}})");
  EXPECT_EQ(value("maybe", "null"), "null");
  EXPECT_EQ(value("maybe", "Pura90"), "\"Pura90\"");
  EXPECT_EQ(value("maybe", "12"), "\"12\"") << "a number is not allowed";
  EXPECT_EQ(value("many", "12"), "12");
  EXPECT_EQ(value("many", "12 b"), "\"12 b\"");
  EXPECT_EQ(value("unit", "1"), "\"1\"") << "a string by reference";
  EXPECT_EQ(value("choice", "a"), "\"a\"");
  for (const char* unknown : {"round", "lost", "odd", "undeclared"}) {
    EXPECT_EQ(value(unknown, "12"), "12");
    EXPECT_EQ(value(unknown, "12 b"), "\"12 b\"");
    EXPECT_EQ(value(unknown, "\"a\""), R"("\"a\"")") << "a text, with its quotes";
  }
}

TEST(Glm, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text :
       {"<tool_call>", "<tool_call>write", "<tool_call>rm\n<arg_key>a</arg_key>", "<tool_call>rm</tool_call>",
        "<tool_call>write it</tool_call>", "<tool_call>now<tool_call>", "<tool_call>{\"name\": \"now\"}</tool_call>",
        "<tool_call>{\"name\": \"rm\", \"arguments\": {}}</tool_call>", "<arg_key>text</arg_key>",
        "<tool_call>now\n</tool_"}) {
    EXPECT_EQ(glm(text), content(text));
  }
}

TEST(Glm, WhatIsMissingOrTooMuchIsReadOver) {
  const std::string text = argument("text", "a");
  EXPECT_EQ(glm("<tool_call>write\n" + text + one_call(argument("n", "1"))),
            calls({{"write", R"({"text": "a"})"}, {"write", R"({"n": 1})"}}))
      << "the first was not closed";
  EXPECT_EQ(glm(one_call(text + ", </arg_value>\n" + argument("n", "1"))),
            calls({{"write", R"({"text": "a", "n": 1})"}}));
  EXPECT_EQ(glm(one_call("<arg_key>text<arg_value>a</arg_value>")), calls({{"write", R"({"text": "a"})"}}));
  EXPECT_EQ(glm(one_call("<arg_key>text</arg_key>\n" + argument("n", "1"))), calls({{"write", R"({"n": 1})"}}));
  EXPECT_EQ(glm(one_call("<arg_key>text</arg_key>")), calls({{"write", "{}"}}));
  EXPECT_EQ(glm(one_call("<arg_key>text</arg_key>how many days</arg_value>")),
            calls({{"write", R"({"text": "how many days"})"}}));
  EXPECT_EQ(glm(one_call("<arg_key>text</arg_key><b>1</b></arg_value>" + argument("n", "1"))),
            calls({{"write", R"({"text": "<b>1</b>", "n": 1})"}}));
  EXPECT_EQ(glm("<tool_call>write\n{\"text\": oops}\n</tool_call>" + one_call(text)),
            calls({{"write", "{\"text\": oops}"}, {"write", R"({"text": "a"})"}}));
}

TEST(Glm, ArgumentsThatBreakOffLeaveWhatCameOfThem) {
  EXPECT_EQ(glm("<tool_call>write\n<arg_key>text</arg_key>\n<arg_value>Par</arg"),
            calls({{"write", R"({"text": "Par</arg)"}}));
  EXPECT_EQ(glm("<tool_call>write\n<arg_key>n</arg_key>\n<arg_value>1"), calls({{"write", R"({"n": 1)"}}));
  EXPECT_EQ(glm("<tool_call>write\n" + argument("n", "1") + "<arg_k"), calls({{"write", R"({"n": 1)"}}));
  EXPECT_EQ(glm("<tool_call>write\n<arg_key>te"), calls({{"write", ""}}));
}

TEST(MiniMax, Calls) {
  const std::string write =
      "<invoke name=\"write\">\n<parameter name=\"text\">say \"hi\"\n</parameter>\n<parameter "
      "name=\"n\">3</parameter>\n</invoke>\n";
  const Call written{"write", R"({"text": "say \"hi\"\n", "n": 3})"};
  EXPECT_EQ(
      minimax("Well.\n<minimax:tool_call>\n" + write + "<invoke name=\"now\">\n</invoke>\n</minimax:tool_call>\n"),
      calls({written, {"now", "{}"}}, "Well."));
  EXPECT_EQ(minimax(write + write + "Done."), calls({written, written}, "\nDone.")) << "the outer tags are missing";
  EXPECT_EQ(minimax("<minimax:tool_call><invoke name=write><parameter name='maybe'>null</parameter></invoke>"
                    "</minimax:tool_call>"),
            calls({{"write", R"({"maybe": null})"}}));
  EXPECT_EQ(minimax("<invoke name=\"write\">\n{\"n\": 3}\n</invoke>"), calls({{"write", R"({"n": 3})"}}));
}

TEST(QwenCoder, Calls) {
  const auto qwen = [](std::string_view text) { return parse(ToolFormat::kQwen, text, {}, typed_tools()); };
  const std::string write =
      "<function=write>\n<parameter=text>\n\n  a "
      "\"b\"\n\n</parameter>\n<parameter=flag>\nTrue\n</parameter>\n</function>";
  const Call written{"write", R"({"text": "\n  a \"b\"\n", "flag": true})"};
  EXPECT_EQ(
      qwen("Well.\n<tool_call>\n" + write + "\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>"),
      calls({written, {"now", "{}"}}, "Well."));
  EXPECT_EQ(qwen(write + "\n</tool_call>"), calls({written})) << "models leave the outer tag out";
  EXPECT_EQ(qwen("<function=write><parameter=text>a\n</parameter><parameter=many>\n12\n</parameter></function>"),
            calls({{"write", R"({"text": "a", "many": 12})"}}));
  EXPECT_EQ(qwen("<function=write><parameter=text>\na\n</par"), calls({{"write", "{\"text\": \"a\\n</par"}}));
  EXPECT_EQ(qwen("<function=write><parameter=text>\n</parameter></function>"), calls({{"write", R"({"text": ""})"}}));
  for (const char* text : {"<tool_call>", "<tool_call>{\"name\": \"now\"}</tool_call>", "<function=rm>\n</function>",
                           "<function=now", "<tool_call></tool_call>"}) {
    EXPECT_EQ(qwen(text), content(text));
  }
}

TEST(MiniMax, ATagThatIsMissingIsReadFromTheNext) {
  const std::string open = "<minimax:tool_call><invoke name=\"write\"><parameter name=\"n\">3</parameter>";
  EXPECT_EQ(minimax(open + "</minimax:tool_call>."), calls({{"write", R"({"n": 3})"}}, "."));
  EXPECT_EQ(minimax(open + "<invoke name=\"now\"></invoke></minimax:tool_call>"),
            calls({{"write", R"({"n": 3})"}, {"now", "{}"}}));
  EXPECT_EQ(minimax(open + "</invoke>\n</minimax"), calls({{"write", R"({"n": 3})"}}));
  EXPECT_EQ(minimax("<minimax:tool_call><invoke name=\"write\">{\"n\": oops}</invoke></minimax:tool_call>"),
            calls({{"write", "{\"n\": oops}"}}));
}

TEST(MiniMax, WhatOnlyLooksLikeACallIsContentWhole) {
  for (const char* text :
       {"<minimax:tool_call>", "<minimax:tool_call>\n</minimax:tool_call", "<minimax:tool_call></minimax:tool_call>ok",
        "<minimax:tool_call>write()", "<invoke name=\"rm\"><parameter name=\"n\">3</parameter></invoke>",
        "<invoke name=\"write\">", "<invoke>", "<invoke name=\"write\n\">", "<parameter name=\"n\">3</parameter>",
        "<invoke name=\"now\"></invok"}) {
    EXPECT_EQ(minimax(text), content(text));
  }
}

}  // namespace
}  // namespace caravel::chat
