#include <algorithm>
#include <map>

#include "base/error.h"
#include "chat/parsing.h"
#include "chat/tool_syntax.h"
#include "grammar/testing.h"

namespace caravel::chat {
namespace {

TEST(ToolFormat, ComesFromTheTemplate) {
  EXPECT_EQ(tool_format(R"({{ '<tool_call>\n{"name": "' }}{{ '", "arguments": ' }})"), ToolFormat::kHermes);
  EXPECT_EQ(tool_format(R"(return {\"name\": f, \"arguments\": a} within <tool_call></tool_call>)"),
            ToolFormat::kHermes);
  EXPECT_EQ(tool_format(R"('<|start_header_id|>' {{ '"parameters": ' }})"), ToolFormat::kLlama3);
  EXPECT_EQ(tool_format(R"({{- "[TOOL_CALLS][" }})"), ToolFormat::kMistral);
  EXPECT_EQ(tool_format("<bos><start_of_turn>user"), ToolFormat::kGemma);
  EXPECT_EQ(tool_format("{{ '<|start|>assistant<|channel|>final<|message|>' }}"), ToolFormat::kHarmony);
  EXPECT_EQ(tool_format("{{ '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + name }}"), ToolFormat::kDeepSeek);
  EXPECT_EQ(tool_format("<tool_call>{name}\n<arg_key>{key}</arg_key> \"arguments\""), ToolFormat::kGlm);
  EXPECT_EQ(tool_format("{%- set begin = '<minimax:tool_call>' -%}"), ToolFormat::kMiniMax);
  EXPECT_EQ(tool_format("<tool_call>\n<function=f>\n<parameter=p>\n \"arguments\""), ToolFormat::kQwen);
  EXPECT_EQ(tool_format("respond only with <|tool_call|> followed by a JSON list"), ToolFormat::kGranite);
  EXPECT_EQ(tool_format("{{ '<|tool|>' + message['tools'] + '<|/tool|>' }}"), ToolFormat::kPhi);
  EXPECT_EQ(tool_format("functools[{\"name\": \"f\", \"arguments\": {}}]"), ToolFormat::kPhi);
  EXPECT_EQ(tool_format("within <function_calls></function_calls>"), ToolFormat::kOlmo);
}

TEST(ToolFormat, IsTheGeneralOneWhereTheTemplateHasNoneThatIsKnown) {
  EXPECT_EQ(tool_format(""), ToolFormat::kGeneral);
  EXPECT_EQ(tool_format("<|im_start|>{{ message.content }}<|im_end|>"), ToolFormat::kGeneral);
  EXPECT_EQ(tool_format("<|start_header_id|>{{ message.content }}"), ToolFormat::kGeneral);
  EXPECT_EQ(tool_format(R"(<tool_call> <function=f> "arguments")"), ToolFormat::kGeneral);
}

TEST(ToolFormat, MayBeNamed) {
  EXPECT_EQ(tool_format("[TOOL_CALLS]", "llama3"), ToolFormat::kLlama3);
  EXPECT_EQ(tool_format("[TOOL_CALLS]", "none"), ToolFormat::kNone);
  EXPECT_THROW(tool_format("", "Hermes"), InvalidArgument);
  const std::vector<std::string> names = tool_format_names();
  EXPECT_EQ(names, (std::vector<std::string>{"harmony", "deepseek", "glm", "minimax", "qwen3_coder", "granite", "phi4",
                                             "olmo3", "hermes", "mistral", "llama3", "gemma", "general", "none"}));
  for (const std::string& name : names) EXPECT_NO_THROW(tool_format("", name));
}

TEST(ToolInstructions, AreForTemplatesThatTakeNoTools) {
  const ordered_json tools = tools_named({"add"});
  EXPECT_NE(tool_instructions(ToolFormat::kGemma, "<start_of_turn>", tools).find(R"({"name":"add")"),
            std::string::npos);
  EXPECT_EQ(tool_instructions(ToolFormat::kGemma, "{% if tools %}", tools), "");
  EXPECT_EQ(tool_instructions(ToolFormat::kGemma, "<start_of_turn>", nullptr), "");
  EXPECT_EQ(tool_instructions(ToolFormat::kNone, "", tools), "");
  EXPECT_NE(tool_instructions(ToolFormat::kGeneral, "{% if tools %} <function=", tools), "") << "in a form of its own";
}

/// Random texts of a grammar such as forced_call_grammar writes: literals, groups, alternatives, repetition and names.
class Texts {
 public:
  Texts(const GrammarSpec& spec, std::mt19937& random) : random_(random) {
    for (size_t at = 0; at < spec.text.size();) {
      const size_t end = spec.text.find('\n', at);
      const std::string line = spec.text.substr(at, end - at);
      const size_t sign = line.find(" ::= ");
      rules_[line.substr(0, sign)] = line.substr(sign + 5);
      at = end + 1;
    }
  }

  std::string rule(const std::string& name) {
    if (name.starts_with("schema-")) return R"({"v": ")" + name + R"( }]\"</tool_call>``` é"})";
    std::string_view body = rules_.at(name);
    return alternatives(body);
  }

 private:
  std::string alternatives(std::string_view& body) {
    std::vector<std::string> all(1);
    while (!body.empty() && body[0] != ')') {
      if (body[0] == '|') all.emplace_back();
      if (body[0] == ' ' || body[0] == '|') {
        body.remove_prefix(1);
      } else {
        all.back() += item(body);
      }
    }
    return all[random_() % all.size()];
  }

  std::string item(std::string_view& body) {
    std::string text;
    if (body[0] == '"') {
      size_t at = 1;
      for (; body[at] != '"'; ++at) {
        const bool escaped = body[at] == '\\';
        at += escaped ? 1 : 0;
        text += escaped && body[at] == 'n' ? '\n' : body[at];
      }
      body.remove_prefix(at + 1);
      return text;
    }
    if (body[0] != '(') {
      const size_t length = std::min(body.find_first_of(" )"), body.size());
      const std::string name(body.substr(0, length));
      body.remove_prefix(length);
      return rule(name);
    }
    const std::string_view group = body.substr(1);
    std::string_view rest = group;
    text = alternatives(rest);
    body = rest.substr(1);
    if (body.empty() || body[0] != '*') return text;
    body.remove_prefix(1);
    text.clear();
    for (auto times = random_() % 3; times > 0; --times) {
      rest = group;
      text += alternatives(rest);
    }
    return text;
  }

  std::map<std::string, std::string> rules_;
  std::mt19937& random_;
};

class ForcedCalls : public testing::TestWithParam<ToolFormat> {};
INSTANTIATE_TEST_SUITE_P(Formats, ForcedCalls, testing::ValuesIn(kCallFormats));

TEST_P(ForcedCalls, EveryTextOfTheGrammarIsCallsOfTheTools) {
  // A name within quotes is JSON's; in other formats it stands bare, and has what an API takes alone.
  const bool quoted = find_syntax(GetParam())->forced.call.ends_with("{\"name\": \"");
  const std::vector<std::string> names = {"add", "get_weather", quoted ? "say\"\\" : "say-it.all"};
  const ordered_json tools = tools_named(names);
  std::mt19937 random(3);
  for (const bool parallel : {false, true}) {
    const GrammarSpec spec = forced_call_grammar(GetParam(), tools, parallel);
    ASSERT_EQ(spec.kind, GrammarSpec::Kind::kGbnf);
    ASSERT_EQ(spec.schemas.size(), names.size());
    Texts texts(spec, random);
    grammar::StateSpace space = grammar::make_space(grammar::parse_spec(spec));
    size_t most = 0;
    for (int round = 0; round < 200; ++round) {
      const std::string text = texts.rule("root");
      EXPECT_TRUE(space.complete(space.advance(space.start(), text))) << text;
      const Parsed parsed = parse(GetParam(), text, {}, tools);
      EXPECT_EQ(parsed.content, "") << text;
      ASSERT_GE(parsed.calls.size(), 1u) << text;
      most = std::max(most, parsed.calls.size());
      for (const Call& call : parsed.calls) {
        const auto tool = std::find(names.begin(), names.end(), call.name) - names.begin();
        EXPECT_EQ(call.arguments, texts.rule("schema-" + std::to_string(tool)));
      }
    }
    EXPECT_EQ(most, parallel ? 3u : 1u);
  }
}

TEST(ForcedCalls, SchemasAreThoseOfTheTools) {
  const auto schema = [](const char* function) {
    const ordered_json tools = {{{"type", "function"}, {"function", ordered_json::parse(function)}}};
    return ordered_json::parse(forced_call_grammar(ToolFormat::kHermes, tools, false).schemas.at(0));
  };
  EXPECT_EQ(schema(R"({"name": "f"})"),
            ordered_json::parse(R"({"type": "object", "properties": {}, "additionalProperties": false})"));
  EXPECT_EQ(schema(R"({"name": "f", "parameters": {"properties": {}}})"),
            ordered_json::parse(R"({"properties": {}, "type": "object", "additionalProperties": false})"));
  EXPECT_EQ(schema(R"({"name": "f", "parameters": {"$ref": "#/$defs/a", "$defs": {}}})").count("type"), 0u);
  EXPECT_THROW(schema(R"({"name": "f", "parameters": {"type": "string"}})"), InvalidArgument);
  EXPECT_THROW(schema(R"({"name": "f", "parameters": 3})"), InvalidArgument);
  EXPECT_THROW(forced_call_grammar(ToolFormat::kHermes, ordered_json::array(), false), InvalidArgument);
  EXPECT_THROW(forced_call_grammar(ToolFormat::kNone, tools_named({"f"}), false), Unsupported);
}

}  // namespace
}  // namespace caravel::chat
