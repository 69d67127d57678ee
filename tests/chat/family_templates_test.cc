#include <gmock/gmock.h>

#include "chat/byte_tokenizer.h"
#include "chat/parsing.h"
#include "chat/renderer.h"
#include "chat/template_probe.h"

namespace caravel::chat {
namespace {

using testing::HasSubstr;
using testing::Not;

// Each has what matters of a family's template.

/// gpt-oss: one of content and thinking beside a call, whose thinking is dropped once a final message follows.
constexpr const char* kHarmonyTemplate =
    "{%- for m in messages -%}{%- if m.role == 'assistant' -%}{%- if 'tool_calls' in m -%}"
    "{%- set later = namespace(final=false) -%}{%- for f in messages[loop.index:] -%}"
    "{%- if f.role == 'assistant' and 'tool_calls' not in f -%}{%- set later.final = true -%}{%- endif -%}{%- endfor "
    "-%}"
    "{%- if m.content and m.thinking -%}{{- raise_exception('Cannot pass both content and thinking') -}}"
    "{%- elif (m.content or m.thinking) and not later.final -%}"
    "{{- '<|start|>assistant<|channel|>analysis<|message|>' + (m.content or m.thinking) + '<|end|>' -}}{%- endif -%}"
    "{%- set c = m.tool_calls[0].function -%}{{- '<|start|>assistant to=functions.' + c.name + '<|channel|>commentary "
    "json<|message|>' + c.arguments | tojson + '<|call|>' -}}{%- else -%}"
    "{{- '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|end|>' -}}{%- endif -%}"
    "{%- elif m.role == 'tool' -%}{{- '<|start|>functions.f to=assistant<|channel|>commentary<|message|>' + "
    "m.content | tojson + '<|end|>' -}}{%- else -%}{{- '<|start|>' + m.role + '<|message|>' + m.content -}}"
    "{%- for t in tools or [] -%}{{- ' type ' + t.function.name -}}{%- endfor -%}{{- '<|end|>' -}}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}";

/// SmolLM3: tools by names of their own.
constexpr const char* kSmolTemplate =
    "{%- for t in xml_tools or [] -%}<xml>{{ t.function.name }}</xml>{%- endfor -%}"
    "{%- for t in python_tools or [] -%}<py>{{ t }}</py>{%- endfor -%}"
    "{# <tool_call>{\"name\": \"arguments\"} #}{%- for m in messages -%}<{{ m.role }}>{{ m.content }}{%- endfor -%}";

/// Phi-4-mini: tools in the system message.
constexpr const char* kPhiTemplate =
    "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not "
    "none %}{{ '<|system|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|><|end|>' }}{% else %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}";

/// Ministral 3: reasoning as a part of the content.
constexpr const char* kMinistralTemplate =
    "{%- for m in messages -%}{%- if m.role == 'user' -%}{{- '[INST]' + (m.content if m.content is string else "
    "m.content[0].text) + '[/INST]' -}}{%- elif m.role == 'assistant' -%}{%- if m.content is string -%}{{- m.content "
    "-}}"
    "{%- else -%}{%- for b in m.content -%}{%- if b.type == 'text' -%}{{- b.text -}}{%- elif b.type == 'thinking' -%}"
    "{{- '[THINK]' + b.thinking + '[/THINK]' -}}{%- else -%}{{- raise_exception('no') -}}{%- endif -%}{%- endfor -%}"
    "{%- endif -%}{%- for c in m.tool_calls or [] -%}{{- '[TOOL_CALLS]' + c.function.name + '[ARGS]' + "
    "c.function.arguments | tojson -}}{%- endfor -%}{{- eos_token -}}{%- else -%}"
    "{{- '[TOOL_RESULTS]' + m.content | string + '[/TOOL_RESULTS]' -}}{%- endif -%}{%- endfor -%}";

constexpr const char* kTools =
    R"("tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}])";

class FamilyTemplates : public testing::Test {
 protected:
  static Conversation conversation(const std::string& fields) {
    const Json body = Json::parse("{" + fields + "}");
    Fields reader(body);
    return parse_conversation(reader);
  }
  std::string text(const char* source, const std::string& fields) const {
    return *Renderer(tokenizer_, source).render(conversation(fields)).text;
  }

  const Tokenizer tokenizer_ = byte_tokenizer({"<|channel|>", "<|message|>"});
  const std::string user_ = R"("messages": [{"role": "user", "content": "a"}])";
};

TEST_F(FamilyTemplates, ContentAndReasoningBesideACallAreJoinedWhereTheTemplateFailsOnBoth) {
  const auto called = [&](const std::string& fields) {
    return text(kHarmonyTemplate, R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", )" + fields +
                                      R"("tool_calls": [{"id": "1", "type": "function", "function": {"name": "look",
                                      "arguments": "{\"at\":1}"}}]}, {"role": "tool", "tool_call_id": "1",
                                      "content": "r"}])");
  };
  const std::string call =
      "<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{\"at\": "
      "1}<|call|><|start|>functions.f "
      "to=assistant<|channel|>commentary<|message|>\"r\"<|end|><|start|>assistant";
  const std::string analysis = "<|start|>user<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>";
  EXPECT_EQ(called(R"("content": "I will look.", "reasoning": "Hm.", )"),
            analysis + "Hm.\n\nI will look.<|end|>" + call);
  EXPECT_EQ(called(R"("content": "I will look.", )"), analysis + "I will look.<|end|>" + call);
  EXPECT_EQ(called(R"("content": null, "reasoning_content": "Hm.", )"), analysis + "Hm.<|end|>" + call);
}

TEST_F(FamilyTemplates, AnAnswerOfHarmonysThatAGrammarHoldsBeginsBehindItsHeader) {
  const Renderer renderer(tokenizer_, kHarmonyTemplate);
  SamplingParams free;
  const Renderer::Prepared plain = renderer.prepare(conversation(user_), free);
  EXPECT_EQ(plain.prompt.text, "<|start|>user<|message|>a<|end|><|start|>assistant");
  EXPECT_TRUE(plain.layout.marks.in_channels);
  EXPECT_FALSE(free.skip_special_tokens) << "its marks are tokens";
  SamplingParams held;
  held.grammar.kind = GrammarSpec::Kind::kGbnf;
  const Renderer::Prepared prepared = renderer.prepare(conversation(user_), held);
  EXPECT_EQ(prepared.prompt.text, "<|start|>user<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>");
  EXPECT_FALSE(prepared.layout.marks.in_channels) << "the answer is the grammar's text alone";
  SamplingParams forced;
  EXPECT_EQ(renderer.prepare(conversation(user_ + R"(, "tool_choice": "required", )" + kTools), forced).prompt.text,
            "<|start|>user<|message|>a type look<|end|><|start|>assistant")
      << "the recipient follows the role";
}

TEST_F(FamilyTemplates, ToolsAreGivenWhereTheTemplateReadsThem) {
  EXPECT_EQ(text(kSmolTemplate, user_ + ", " + kTools), "<xml>look</xml><user>a");
  EXPECT_EQ(text(kSmolTemplate, user_ + R"(, "chat_template_kwargs": {"python_tools": ["f"]}, )" + kTools),
            "<py>f</py><user>a")
      << "the client has chosen";
  EXPECT_EQ(
      text(kPhiTemplate, user_ + ", " + kTools),
      "<|system|>You are a helpful assistant with some tools.<|tool|>[{\"name\": \"look\", \"parameters\": {\"type\": "
      "\"object\"}}]<|/tool|><|end|><|user|>a<|end|>");
  EXPECT_THAT(
      text(kPhiTemplate, R"("messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}], )" +
                             std::string(kTools)),
      testing::StartsWith("<|system|>S<|tool|>[{\"name\": \"look\""));
  EXPECT_EQ(text(kPhiTemplate, user_), "<|user|>a<|end|>");
  EXPECT_THAT(text(kSmolTemplate, user_), Not(HasSubstr("xml>")));
}

TEST_F(FamilyTemplates, AnEarlierCallIsWrittenAsTheModelWritesIt) {
  EXPECT_THAT(
      text(kPhiTemplate, R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null,
                   "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
                   {"role": "tool", "tool_call_id": "1", "content": "r"}])"),
      HasSubstr("<|assistant|><|tool_call|>[{\"name\": \"look\", \"arguments\": {}}]<|/tool_call|><|end|>"));
}

TEST_F(FamilyTemplates, ReasoningIsAPartWhereTheTemplateReadsOne) {
  EXPECT_EQ(text(kMinistralTemplate, R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content":
            "b", "reasoning": "Hm."}, {"role": "user", "content": "c"}])"),
            "[INST]a[/INST][THINK]Hm.[/THINK]b</s>[INST]c[/INST]");
  EXPECT_EQ(text(kMinistralTemplate, R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content":
            null, "reasoning_content": "Hm.", "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {"name":
            "look", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "abcdefghi", "content": "r"}])"),
            "[INST]a[/INST][THINK]Hm.[/THINK][TOOL_CALLS]look[ARGS]{}</s>[TOOL_RESULTS]r[/TOOL_RESULTS]");
  EXPECT_EQ(text(kMinistralTemplate, R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content":
            "b"}])"),
            "[INST]a[/INST]b</s>");
  constexpr const char* kPrints = "{% for m in messages %}{{ m.content | tojson }}{% endfor %}";
  EXPECT_EQ(probe_template(text::ChatTemplate(kPrints), kPrints, "", "").reasoning,
            TemplateTraits::Reasoning::kContentField);
  EXPECT_EQ(probe_template(text::ChatTemplate(kSmolTemplate), kSmolTemplate, "", "").reasoning,
            TemplateTraits::Reasoning::kContentField)
      << "a list that is printed shows a part as well";
}

}  // namespace
}  // namespace caravel::chat
