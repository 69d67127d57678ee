#include "chat/template_probe.h"

#include <gmock/gmock.h>

#include <map>

#include "base/error.h"
#include "chat/byte_tokenizer.h"
#include "chat/renderer.h"

namespace caravel::chat {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Each is the part that matters of a template in the field. What the texts below expect where transformers 5.24 renders
// the same conversation was had from its apply_chat_template.

/// DeepSeek R1's distilled models: a call is told by a content of none, arguments are a text, the last system message
/// alone counts.
constexpr const char* kDeepSeek =
    "{%- set ns = namespace(system='') -%}{%- for m in messages -%}{%- if m['role'] == 'system' -%}"
    "{%- set ns.system = m['content'] -%}{%- endif -%}{%- endfor -%}{{ ns.system }}"
    "{%- for m in messages -%}{%- if m['role'] == 'user' -%}{{ '<U>' + m['content'] }}{%- endif -%}"
    "{%- if m['role'] == 'assistant' and m['content'] is none -%}{%- for c in m['tool_calls'] -%}"
    "{{ '<call>' + c['function']['name'] + '\\n' + c['function']['arguments'] + '</call>' }}{%- endfor -%}{%- endif -%}"
    "{%- if m['role'] == 'assistant' and m['content'] is not none -%}{%- set content = m['content'] -%}"
    "{%- if '</think>' in content -%}{%- set content = content.split('</think>')[-1] -%}{%- endif -%}"
    "{{ '<A>' + content + '<end>' }}{%- endif -%}"
    "{%- if m['role'] == 'tool' -%}{{ '<T>' + m['content'] }}{%- endif -%}{%- endfor -%}"
    "{% if add_generation_prompt %}{{ '<A>' }}{% endif %}";

/// Qwen 3: fails on a content of none, takes arguments either way, reads reasoning_content.
constexpr const char* kQwen =
    "{%- for m in messages %}{{- '<' + m.role + '>' }}{%- if m.role == 'assistant' and m.reasoning_content %}"
    "{{- '<think>' + m.reasoning_content + '</think>' }}{%- endif %}{{- '' + m.content }}"
    "{%- for c in m.tool_calls or [] %}{{- '<tool_call>{\"name\": \"' + c.function.name + '\", \"arguments\": ' }}"
    "{%- if c.function.arguments is string %}{{- c.function.arguments }}{%- else %}"
    "{{- c.function.arguments | tojson }}{%- endif %}{{- '}</tool_call>' }}{%- endfor %}{%- endfor %}"
    "{%- if tools %}{{- tools | tojson }}{%- endif %}";

/// Mistral Small 3.2: parts from users, the first part of others; roles alternate.
constexpr const char* kMistral =
    "{%- set rest = messages %}{%- if messages[0].role == 'system' %}{{- '[S]' + (messages[0].content if "
    "messages[0].content is string else messages[0].content[0].text) + '[/S]' }}{%- set rest = messages[1:] %}"
    "{%- endif %}{%- set ns = namespace(i=0) %}{%- for m in rest %}{%- if not (m.role == 'tool' or m.get('tool_calls'))"
    " %}{%- if (m.role == 'user') != (ns.i % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}"
    "{%- set ns.i = ns.i + 1 %}{%- endif %}{%- endfor %}{%- for m in rest %}{%- if m.role == 'user' %}{{- '[INST]' }}"
    "{%- if m.content is string %}{{- m.content }}{%- else %}{%- for p in m.content %}{{- p.text }}{%- endfor %}"
    "{%- endif %}{{- '[/INST]' }}{%- elif m.role == 'assistant' and m.tool_calls %}{%- for c in m.tool_calls %}"
    "{%- if c.id | length != 9 %}{{- raise_exception('nine letters') }}{%- endif %}"
    "{{- '[CALLS]' + c.function.name + '[ARGS]' + c.function.arguments | tojson }}{%- endfor %}"
    "{%- elif m.role == 'assistant' %}{{- m.content if m.content is string else m.content[0].text }}"
    "{%- else %}{{- '[R]' + m.content | string + '[/R]' }}{%- endif %}{%- endfor %}";

/// Gemma 3: system becomes a part of the first turn, parts are walked, roles alternate, and there is no tool.
constexpr const char* kGemma =
    "{%- set rest = messages %}{%- set prefix = '' %}{%- if messages[0].role == 'system' %}"
    "{%- set prefix = (messages[0].content if messages[0].content is string else messages[0].content[0].text) + "
    "'\\n\\n'"
    " %}{%- set rest = messages[1:] %}{%- endif %}{%- for m in rest %}{%- if (m.role == 'user') != (loop.index0 % 2 == "
    "0) %}{{ raise_exception('roles must alternate') }}{%- endif %}"
    "{{ '<start_of_turn>' + m.role + '\\n' + (prefix if loop.first else '') }}"
    "{%- if m.content is string %}{{ m.content | trim }}{%- elif m.content is iterable %}{%- for p in m.content %}"
    "{{ p.text | trim }}{%- endfor %}{%- else %}{{ raise_exception('Invalid content type') }}{%- endif %}"
    "{{ '<end_of_turn>\\n' }}{%- endfor %}";

/// Gemma 2, Mistral 7B v0.1.
constexpr const char* kWithoutSystem =
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";

/// SmolLM2: no call is written.
constexpr const char* kChatml = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}";

/// SmolVLM: a text is walked as if it were parts, and lost.
constexpr const char* kPartsAlone =
    "{% for m in messages %}<{{ m.role }}>{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}"
    "{% endfor %}{% endfor %}";

/// gpt-oss: knows developer, and drops roles that it does not know.
constexpr const char* kDeveloper =
    "{% for m in messages %}{% if m.role in ['developer', 'system'] %}<dev>{{ m.content }}{% elif m.role == 'user' %}"
    "<u>{{ m.content }}{% elif m.role == 'assistant' %}<a>{% if m.thinking %}[{{ m.thinking }}]{% endif %}"
    "{{ m.content }}{% elif m.role == 'function' %}<f>{{ m.name }}={{ m.content }}{% endif %}{% endfor %}";

/// gpt-oss: a message's first call alone, and results by the name of the call before.
constexpr const char* kFirstCall =
    "{% set last = namespace(name='') %}{% for m in messages %}{% if m.role == 'tool' %}<{{ last.name }}>{{ m.content "
    "}}"
    "{% elif m.tool_calls %}<a>{{ m.content or '' }}<call>{{ m.tool_calls[0].function.name }}"
    "{{ m.tool_calls[0].function.arguments | tojson }}"
    "{% set last.name = m.tool_calls[0].function.name %}{% else %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}";

/// Llama 3: fails on more than one.
constexpr const char* kOneCall =
    "{% for m in messages %}{% if m.tool_calls %}{% if m.tool_calls | length != 1 %}{{ raise_exception('one') }}"
    "{% endif %}<call>{{ m.tool_calls[0].function.name }}{{ m.tool_calls[0].function.arguments | tojson }}"
    "{% else %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}";

class TemplateProbe : public testing::Test {
 protected:
  static TemplateTraits traits_of(const char* source) {
    return probe_template(text::ChatTemplate(source), source, "<s>", "</s>");
  }
  std::string rendered(const char* source, const char* messages, const char* more = "{}") const {
    Json body = Json::parse(more);
    body["messages"] = Json::parse(messages);
    body["add_generation_prompt"] = false;
    Fields fields(body);
    return *Renderer(tokenizer_, source).render(parse_conversation(fields)).text;
  }

  const Tokenizer tokenizer_ = byte_tokenizer();
};

constexpr const char* kCalled = R"([{"role": "user", "content": "hi"},
    {"role": "assistant", "content": null, "tool_calls": [{"id": "call12345", "type": "function",
     "function": {"name": "clock", "arguments": "{\"zone\":\"UTC\"}"}}]},
    {"role": "tool", "tool_call_id": "call12345", "content": "12:00"}])";

TEST_F(TemplateProbe, SeveralCallsStandApartWhereAMessageTakesOne) {
  const auto call = [](const std::string& id, const std::string& name) {
    return R"({"id": ")" + id + R"(", "type": "function", "function": {"name": ")" + name + R"(", "arguments": "{}"}})";
  };
  const auto result = [](const std::string& id, const std::string& text) {
    return R"({"role": "tool", "tool_call_id": ")" + id + R"(", "content": ")" + text + R"("})";
  };
  const std::string said = R"([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "I look.",
                             "tool_calls": [)" +
                           call("1", "f") + "," + call("2", "g") + "," + call("3", "h") + "]}";
  const std::string in_order = said + "," + result("1", "F") + "," + result("2", "G") + "," + result("3", "H") + "]";
  const char* const expected = "<user>hi<a>I look.<call>f{}<f>F<a><call>g{}<g>G<a><call>h{}<h>H";
  EXPECT_TRUE(traits_of(kFirstCall).splits_calls);
  EXPECT_EQ(rendered(kFirstCall, in_order.c_str()), expected);
  const std::string mixed = said + "," + result("3", "H") + "," + result("1", "F") + "," + result("2", "G") + "]";
  EXPECT_EQ(rendered(kFirstCall, mixed.c_str()), expected);
  // What answers no call of the message stays behind them all.
  const std::string strange =
      said + "," + result("9", "X") + "," + result("1", "F") + R"(, {"role": "user", "content": "on"}])";
  EXPECT_EQ(rendered(kFirstCall, strange.c_str()),
            "<user>hi<a>I look.<call>f{}<f>F<a><call>g{}<a><call>h{}<h>X<user>on");
  EXPECT_EQ(rendered(kFirstCall, (said + "]").c_str()), "<user>hi<a>I look.<call>f{}<a><call>g{}<a><call>h{}");
  EXPECT_TRUE(traits_of(kOneCall).splits_calls);
  EXPECT_EQ(rendered(kOneCall, in_order.c_str()), "<user>hi<call>f{}<tool>F<call>g{}<tool>G<call>h{}<tool>H");
  for (const char* source : {kQwen, kChatml}) EXPECT_FALSE(traits_of(source).splits_calls) << source;
}

TEST_F(TemplateProbe, ANullStaysOneForTemplatesThatTellACallByIt) {
  const TemplateTraits traits = traits_of(kDeepSeek);
  EXPECT_EQ(traits.missing, TemplateTraits::Missing::kNull);
  EXPECT_EQ(traits.arguments, TemplateTraits::Arguments::kText);
  const char* const expected = "<U>hi<call>clock\n{\"zone\":\"UTC\"}</call><T>12:00";
  EXPECT_EQ(rendered(kDeepSeek, kCalled), expected);
  std::string messages = kCalled;
  for (const char* content : {"\"\"", "[]"}) {  // clients write nothing in more than one way
    std::string other = kCalled;
    other.replace(other.find("null"), 4, content);
    EXPECT_EQ(rendered(kDeepSeek, other.c_str()), expected) << content;
  }
  messages.replace(messages.find("\"content\": null, "), 17, "");
  EXPECT_EQ(rendered(kDeepSeek, messages.c_str()), expected);
  EXPECT_EQ(rendered(kDeepSeek, R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": null}])"),
            "<U>a<A><end>")
      << "a turn of nothing is no call";
}

TEST_F(TemplateProbe, CallsThatAContentWouldHideAreWrittenIntoIt) {
  std::string messages = kCalled;
  messages.replace(messages.find("null"), 4, "\"I look.\"");
  EXPECT_EQ(rendered(kDeepSeek, messages.c_str()),
            "<U>hi<A>I look.\n<tool_call>\n{\"name\": \"clock\", \"arguments\": {\"zone\":\"UTC\"}}\n</tool_call><end>"
            "<T>12:00");
  EXPECT_FALSE(traits_of(kQwen).content_hides_calls);
}

TEST_F(TemplateProbe, AndIsAnEmptyTextForThoseThatFailOnIt) {
  EXPECT_EQ(traits_of(kQwen).missing, TemplateTraits::Missing::kEmpty);
  EXPECT_EQ(rendered(kQwen, kCalled),
            "<user>hi<assistant><tool_call>{\"name\": \"clock\", \"arguments\": {\"zone\": \"UTC\"}}</tool_call>"
            "<tool>12:00");
}

TEST_F(TemplateProbe, AndIsAbsentWhereThatMakesADifference) {
  constexpr const char* kIfThere =
      "{% for m in messages %}<{{ m.role }}>{% if 'content' in m %}({{ m.content }}){% endif %}"
      "{% for c in m.tool_calls or [] %}{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}{% endfor "
      "%}";
  EXPECT_EQ(rendered(kIfThere, kCalled), "<user>(hi)<assistant>clock{\"zone\": \"UTC\"}<tool>(12:00)");
}

TEST_F(TemplateProbe, AnEmptyListOfCallsAndAnEmptyNameAreAbsent) {
  constexpr const char* kAsks =
      "{% for m in messages %}{% if 'tool_calls' in m %}{{ m.tool_calls | length }} calls{% endif %}"
      "{% if 'name' in m %}named {{ m.name }}{% endif %}{{ m.content }};{% endfor %}";
  EXPECT_EQ(rendered(kAsks, R"([{"role": "user", "content": "a", "name": ""}, {"role": "assistant", "content": "b",
                              "tool_calls": [], "refusal": null, "name": null}, {"role": "user", "content": "c"}])"),
            "a;b;c;");
}

TEST_F(TemplateProbe, ArgumentsThatAreNoObjectDoNotEndTheConversation) {
  std::string broken = kCalled;
  broken.replace(broken.find("{\\\"zone"), 17, "{\\\"zone\\\":");
  EXPECT_THAT(rendered(kQwen, broken.c_str()), HasSubstr("\"arguments\": {\"zone\":}"));
  EXPECT_THAT(rendered(kDeepSeek, broken.c_str()), HasSubstr("clock\n{\"zone\":}</call>"));
  EXPECT_THAT(rendered(kMistral, broken.c_str()), HasSubstr("[CALLS]clock[ARGS]{}"))
      << "a text would become a JSON text of a JSON text";
}

TEST_F(TemplateProbe, PartsReachTemplatesThatWalkThem) {
  constexpr const char* kParts =
      R"([{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}])";
  EXPECT_EQ(rendered(kMistral, kParts), "[INST]onetwo[/INST]");
  EXPECT_EQ(rendered(kGemma, kParts), "<start_of_turn>user\nonetwo<end_of_turn>\n");
  EXPECT_EQ(rendered(kChatml, kParts), "<user>one\ntwo<end>");
  EXPECT_EQ(rendered(kPartsAlone, kParts), "<user>onetwo");
  EXPECT_EQ(rendered(kPartsAlone, R"([{"role": "user", "content": "one"}])"), "<user>one");
  EXPECT_EQ(rendered("{{ messages | tojson }}", kParts), R"([{"role": "user", "content": "one\ntwo"}])");
  // Of a role whose parts the template loses they are joined.
  EXPECT_EQ(rendered(kMistral, R"([{"role": "system", "content": [{"type": "text", "text": "S"}, {"type": "text",
                                  "text": "T"}]}, {"role": "user", "content": "a"}])"),
            "[S]S\nT[/S][INST]a[/INST]");
}

TEST_F(TemplateProbe, SystemMessagesGoWhereTheTemplateTakesThem) {
  constexpr const char* kLate = R"([{"role": "system", "content": "S"}, {"role": "user", "content": "a"},
      {"role": "assistant", "content": "b"}, {"role": "developer", "content": "T"}, {"role": "user", "content": "c"}])";
  EXPECT_EQ(rendered(kChatml, kLate), "<system>S<end><user>a<end><assistant>b<end><system>T<end><user>c<end>");
  EXPECT_EQ(rendered(kMistral, kLate), "[S]S\n\nT[/S][INST]a[/INST]b[INST]c[/INST]");
  EXPECT_EQ(rendered(kDeepSeek, kLate), "S\n\nT<U>a<A>b<end><U>c") << "it would drop the first";
  EXPECT_EQ(rendered(kWithoutSystem, kLate), "<user>S\n\nT\n\na<assistant>b<user>c");
  EXPECT_EQ(rendered(kWithoutSystem, R"([{"role": "system", "content": "S"}])"), "<user>S");
  EXPECT_EQ(rendered(kMistral, R"([{"role": "user", "content": "a"}, {"role": "system", "content": "T"}])"),
            "[S]T[/S][INST]a[/INST]");
}

TEST_F(TemplateProbe, RolesAreRenamedUnlessTheTemplateKnowsThem) {
  constexpr const char* kRoles = R"([{"role": "developer", "content": "S"}, {"role": "user", "content": "a"},
      {"role": "assistant", "content": "b", "function_call": {"name": "f", "arguments": "{}"}},
      {"role": "function", "name": "f", "content": "r"}])";
  EXPECT_TRUE(traits_of(kDeveloper).developer);
  EXPECT_THAT(rendered(kDeveloper, kRoles), testing::AllOf(StartsWith("<dev>S<u>a<a>b"), testing::EndsWith("<f>f=r")));
  EXPECT_FALSE(traits_of(kChatml).developer);
  EXPECT_FALSE(traits_of("{# 'developer' #}{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}").developer)
      << "it writes whatever name there is";
  EXPECT_THAT(rendered(kQwen, kRoles), testing::AllOf(StartsWith("<system>S"), testing::EndsWith("<tool>r")));
}

TEST_F(TemplateProbe, CallsAndResultsAreWrittenAsTextWhereTheTemplateHasNoPlaceForThem) {
  EXPECT_EQ(
      rendered(kChatml, kCalled),
      "<user>hi<end><assistant><tool_call>\n{\"name\": \"clock\", \"arguments\": {\"zone\":\"UTC\"}}\n</tool_call>"
      "<end><user><tool_response>\n12:00\n</tool_response><end>")
      << "a template that does not speak of tools gets them in the general form";
  Json more = Json::parse(kCalled);
  more.push_back({{"role", "user"}, {"content", "thanks"}});
  EXPECT_EQ(rendered(kGemma, more.dump().c_str()),
            "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>assistant\n```json\n{\"name\": \"clock\", "
            "\"parameters\": {\"zone\":\"UTC\"}}\n```<end_of_turn>\n<start_of_turn>user\n<tool_response>\n12:00\n"
            "</tool_response>\nthanks<end_of_turn>\n");
}

/// Else the prompt is not what the model wrote, and the prefix cache misses.
TEST_F(TemplateProbe, ArgumentsGivenAsAnObjectAreTheTextThatModelsWrite) {
  std::string messages = kCalled;
  const std::string text = R"("{\"zone\":\"UTC\"}")";
  messages.replace(messages.find(text), text.size(), R"({"zone":"UTC","at":[1,2.50,{"é":null}]})");
  const std::string written = R"({"zone": "UTC", "at": [1, 2.5, {"é": null}]})";
  EXPECT_THAT(rendered(kDeepSeek, messages.c_str()), HasSubstr("clock\n" + written + "</call>"));
  EXPECT_THAT(rendered(kChatml, messages.c_str()), HasSubstr("\"arguments\": " + written + "}"));
  EXPECT_THAT(rendered(kQwen, messages.c_str()), HasSubstr("\"arguments\": " + written + "}")) << "as tojson does";
}

TEST_F(TemplateProbe, ReasoningHasTheNameThatTheTemplateReads) {
  for (const char* name : {"reasoning_content", "reasoning", "thinking"}) {
    const std::string messages = std::string(R"([{"role": "user", "content": "a"}, {"role": "assistant", ")") + name +
                                 R"(": "why", "content": "b"}])";
    EXPECT_EQ(rendered(kQwen, messages.c_str()), "<user>a<assistant><think>why</think>b") << name;
    EXPECT_EQ(rendered(kDeveloper, messages.c_str()), "<u>a<a>[why]b") << name;
    EXPECT_EQ(rendered("{% for m in messages %}{{ m.reasoning }}{{ m.content }};{% endfor %}", messages.c_str()),
              "a;whyb;")
        << name;
  }
}

TEST_F(TemplateProbe, ATemplateThatNothingIsToldOfGetsWhatTransformersGives) {
  EXPECT_EQ(traits_of("{{ raise_exception('no') }}").describe(), TemplateTraits{}.describe());
  EXPECT_EQ(traits_of("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}").describe(),
            TemplateTraits{}.describe())
      << "one that runs away";
}

TEST_F(TemplateProbe, ATemplateForToolsIsProbedWithSome) {
  EXPECT_EQ(
      traits_of("{{ tools[0].function.name }}{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] "
                "%}{{ c.function.name + c.function.arguments }}{% endfor %}{% endfor %}")
          .arguments,
      TemplateTraits::Arguments::kText);
  EXPECT_EQ(traits_of("{% if tools %}{{ raise_exception('no') }}{% endif %}{% for m in messages %}{{ m.content }}"
                      "{% for c in m.tool_calls or [] %}{{ c.function.name + c.function.arguments }}{% endfor %}"
                      "{% endfor %}")
                .arguments,
            TemplateTraits::Arguments::kText);
}

TEST_F(TemplateProbe, SaysWhatItDecidedAndIsOverruled) {
  TemplateTraits traits = traits_of(kMistral);
  const auto told = [&] {
    const auto lines = traits.describe();
    return std::map<std::string, std::string>(lines.begin(), lines.end());
  };
  EXPECT_THAT(told()["content"], HasSubstr("text, since the template loses parts (system, assistant, tool)"));
  EXPECT_THAT(told()["system"], StartsWith("first: "));
  EXPECT_THAT(told()["arguments"], StartsWith("object: "));
  traits.override_with("content=text,system=user,arguments=text,missing=null,developer=developer");
  EXPECT_THAT(told()["content"], StartsWith("text: "));
  EXPECT_THAT(told()["system"], StartsWith("user: "));
  EXPECT_THAT(told()["arguments"], StartsWith("text: "));
  EXPECT_THAT(told()["missing"], StartsWith("null: "));
  for (const auto& [name, value] : traits.describe()) EXPECT_NE(value, "") << name;
  for (const char* wrong : {"content", "content=", "content=all", "mood=good", "=", "content=text,,"}) {
    EXPECT_THROW(traits.override_with(wrong), InvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace caravel::chat
