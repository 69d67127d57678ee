#include "chat/renderer.h"

#include <gmock/gmock.h>

#include "chat/byte_tokenizer.h"
#include "chat/parsing.h"

namespace caravel::chat {
namespace {

using testing::HasSubstr;

constexpr const char* kTemplate =
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if tools %}<tool_call>\"arguments\"{% for t in tools %}{{ t.function.name }};{% endfor %}{% endif %}"
    "{% for d in documents or [] %}[{{ d.text }}]{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% if think %}<think>{% endif %}{% endif %}{# </think> #}{{ '' if true }}"
    "{% if false %}</think>{% endif %}";
constexpr const char* kWithoutTools = "{% for m in messages %}<start_of_turn>{{ m.content }}{% endfor %}";

class RendererTest : public testing::Test {
 protected:
  static Conversation conversation(const char* fields) {
    const Json body = Json::parse(fields);
    Fields reader(body);
    Conversation result = parse_conversation(reader);
    reader.refuse_unknown();
    return result;
  }
  std::string text(const char* fields) const { return *renderer_.render(conversation(fields)).text; }
  /// The path and the message of what is thrown.
  template <typename Call>
  static std::string refusal(Call call) {
    try {
      call();
    } catch (const FieldError& error) {
      return error.path + ": " + error.what();
    }
    return "";
  }

  const Tokenizer tokenizer_ = byte_tokenizer();
  const Renderer renderer_{tokenizer_, kTemplate};
};

TEST_F(RendererTest, GivesTheTemplateAllThatARequestSays) {
  EXPECT_EQ(text(R"({"messages": [{"role": "developer", "content": "S"}, {"role": "user", "content": [
                    {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
                    "tools": [{"type": "function", "function": {"name": "f"}}],
                    "documents": [{"text": "d"}], "chat_template_kwargs": {"think": true}})"),
            "<s><system>S\n<user>a\nb\n<tool_call>\"arguments\"f;[d]<assistant><think>");
  EXPECT_EQ(text(R"({"messages": [{"role": "user", "content": "a"}], "add_generation_prompt": false})"),
            "<s><user>a\n");
}

// OpenAI's API does not ask for one; gpt-oss' template does.
TEST_F(RendererTest, AToolNeedsNoDescription) {
  const std::string calls = "{% for m in messages %}{{ m.tool_calls }}{{ m.content }}{% endfor %}[TOOL_CALLS]";
  const auto rendered = [&](const std::string& of_tool, const char* tools) {
    const Renderer renderer(tokenizer_, "{% for t in tools or [] %}" + of_tool + "{% endfor %}" + calls);
    const std::string fields =
        R"({"messages": [{"role": "user", "content": "a"}], "tools": )" + std::string(tools) + "}";
    return *renderer.render(conversation(fields.c_str())).text;
  };
  constexpr const char* kTools = R"([{"type": "function", "function": {"name": "f", "description": "D"}},
                                     {"type": "function", "function": {"name": "g"}}])";
  const std::string text = rendered("{{ '// ' + t.function.description + '|' }}", kTools);
  EXPECT_THAT(text, testing::StartsWith("// D|// |"));
  EXPECT_THAT(rendered("{{ 'description' in t.function }}|", kTools), testing::StartsWith("True|False|"))
      << "where a template does without";
  EXPECT_THAT(refusal([&] { rendered("{{ '// ' + t.function.returns }}", kTools); }), testing::HasSubstr("'returns'"))
      << "what else is missing is said";
}

TEST_F(RendererTest, TheBeginningOfSequenceIsThereOnce) {
  const Conversation plain = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  const std::vector<int32_t> tokens = renderer_.render(plain).tokens;
  EXPECT_EQ(tokens[0], 256);
  EXPECT_NE(tokens[1], 256);
  const Renderer without(tokenizer_, "{{ messages[0].content }}");
  EXPECT_THAT(without.render(plain).tokens, testing::ElementsAre('a')) << "the template writes none: there is none";
  Conversation asked = plain;
  asked.add_special_tokens = true;
  EXPECT_THAT(without.render(asked).tokens, testing::ElementsAre(256, 'a'));
  EXPECT_EQ(renderer_.render(asked).tokens, tokens) << "the template's own is not doubled";
}

TEST_F(RendererTest, NothingComesBehindAPromptUnlessItIsAskedFor) {
  TokenizerData data = byte_tokenizer_data();
  data.suffix_ids = {257};  // an add_eos_token, or a post-processor with a token behind the text
  const Tokenizer tokenizer(data);
  const Renderer renderer(tokenizer, "<s>{{ messages[0].content }}");
  Conversation user = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_THAT(renderer.render(user).tokens, testing::ElementsAre(256, 'a'));
  user.add_special_tokens = true;
  EXPECT_THAT(renderer.render(user).tokens, testing::ElementsAre(256, 'a', 257));
}

TEST_F(RendererTest, AGgufFilesWishForABeginningOfSequenceHoldsInChats) {
  TokenizerData data = byte_tokenizer_data();
  data.bos_in_chats = true;
  const Tokenizer tokenizer(data);
  const Conversation user = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_THAT(Renderer(tokenizer, "{{ messages[0].content }}").render(user).tokens, testing::ElementsAre(256, 'a'));
  EXPECT_THAT(Renderer(tokenizer, "<s>{{ messages[0].content }}").render(user).tokens, testing::ElementsAre(256, 'a'));
}

TEST_F(RendererTest, AFinalMessageIsContinued) {
  EXPECT_EQ(text(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Well, "}],
                    "continue_final_message": true})"),
            "<s><user>a\n<assistant>Well, ");
  const Renderer upper(tokenizer_, "{{ messages[0].content | upper }}");
  EXPECT_THAT(refusal([&] {
                upper.render(conversation(
                    R"({"messages": [{"role": "assistant", "content": "well"}], "continue_final_message": true})"));
              }),
              HasSubstr("messages: The chat template changes the final message"));
}

TEST_F(RendererTest, ToolsHaveATemplateOfTheirOwn) {
  const Renderer renderer(tokenizer_, "plain {{ messages[0].content }}", "",
                          "[TOOL_CALLS]{{ tools | length }} {{ messages[0].content }}");
  const Conversation plain = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_EQ(renderer.render(plain).text, "plain a");
  const Conversation with_tools = conversation(R"({"messages": [{"role": "user", "content": "a"}],
                                                   "tools": [{"type": "function", "function": {"name": "f"}}]})");
  EXPECT_EQ(renderer.render(with_tools).text, "[TOOL_CALLS]1 a");
  SamplingParams sampling;
  EXPECT_EQ(renderer.prepare(with_tools, sampling).layout.format, ToolFormat::kMistral) << "found in the template used";
  Conversation unwanted = conversation(R"({"messages": [{"role": "user", "content": "a"}], "tool_choice": "none",
                                           "tools": [{"type": "function", "function": {"name": "f"}}]})");
  EXPECT_EQ(renderer.render(unwanted).text, "plain a");
  bool told = false;
  for (const Decision& line : renderer.describe())
    told |= line.what == "tool_use: tool format" && line.value == "mistral";
  EXPECT_TRUE(told);
  EXPECT_THROW(Renderer(tokenizer_, "a", "", "{% if %}"), FormatError);
  EXPECT_THROW(Renderer(tokenizer_, "a", "", "", "content=all"), InvalidArgument);
}

TEST_F(RendererTest, ToolsGoToTheSystemMessageWhereTheTemplateHasNoPlaceForThem) {
  const Renderer gemma(tokenizer_, kWithoutTools);
  const auto rendered = [&](const char* fields) { return *gemma.render(conversation(fields)).text; };
  EXPECT_THAT(rendered(R"({"messages": [{"role": "user", "content": "a"}],
                          "tools": [{"type": "function", "function": {"name": "look"}}]})"),
              testing::MatchesRegex("<start_of_turn>You may call functions.*\"look\".*<start_of_turn>a"));
  EXPECT_THAT(rendered(R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}],
                          "tools": [{"type": "function", "function": {"name": "look"}}]})"),
              testing::StartsWith("<start_of_turn>S\n\nYou may call functions"));
  EXPECT_EQ(rendered(R"({"messages": [{"role": "user", "content": "a"}], "tool_choice": "none",
                        "tools": [{"type": "function", "function": {"name": "look"}}]})"),
            "<start_of_turn>a");
}

TEST_F(RendererTest, RefusesWhatItCannotRender) {
  const Conversation plain = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_THAT(refusal([&] { Renderer(tokenizer_).render(plain); }), HasSubstr("messages: The model has no chat templ"));
  EXPECT_THAT(refusal([&] { renderer_.render(conversation(R"({"messages": []})")); }), HasSubstr("messages: "));
  EXPECT_THAT(refusal([&] { Renderer(tokenizer_, "{{ raise_exception('no way') }}").render(plain); }),
              HasSubstr("no way"));
  EXPECT_THAT(refusal([&] { Renderer(tokenizer_, ModelInfo{.chat_template_error = "line 3: no"}).render(plain); }),
              testing::AllOf(HasSubstr("cannot be used: line 3: no."), HasSubstr("--chat-template")));
  Conversation tools = plain;
  tools.tools.list = tools_named({"f"});
  tools.tools.choose("auto");
  EXPECT_THAT(refusal([&] { Renderer(tokenizer_, "{{ messages[0].content }}", "none").render(tools); }),
              HasSubstr("--tool-call-parser is none"));
  EXPECT_THROW(Renderer(tokenizer_, "{% if %}"), FormatError);
  EXPECT_THROW(Renderer(tokenizer_, "", "unheard-of"), InvalidArgument);
}

TEST_F(RendererTest, LaysOutTheAnswers) {
  SamplingParams sampling;
  const AnswerLayout plain =
      renderer_.prepare(conversation(R"({"messages": [{"role": "user", "content": "a"}]})"), sampling).layout;
  EXPECT_TRUE(plain.tools.is_null());
  EXPECT_EQ(plain.marks.end, "</think>");
  EXPECT_FALSE(plain.marks.opened_by_template);
  const AnswerLayout opened =
      renderer_
          .prepare(conversation(
                       R"({"messages": [{"role": "user", "content": "a"}], "chat_template_kwargs": {"think": true}})"),
                   sampling)
          .layout;
  EXPECT_TRUE(opened.marks.opened_by_template);
  EXPECT_EQ(sampling.grammar.kind, GrammarSpec::Kind::kNone);
}

TEST_F(RendererTest, AForcedCallIsTheAnswersGrammar) {
  const Conversation forced = conversation(R"({"messages": [{"role": "user", "content": "a"}],
      "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}],
      "tool_choice": {"type": "function", "function": {"name": "g"}}})");
  SamplingParams sampling;
  const AnswerLayout layout = renderer_.prepare(forced, sampling).layout;
  EXPECT_EQ(layout.format, ToolFormat::kHermes);
  EXPECT_EQ(layout.tools.size(), 2U);
  EXPECT_TRUE(layout.single_call);
  EXPECT_TRUE(layout.calls_alone);
  EXPECT_EQ(layout.marks.end, "") << "a grammar leaves no room for reasoning";
  EXPECT_EQ(sampling.grammar.schemas.size(), 1U);
  EXPECT_TRUE(sampling.skip_special_tokens);
  EXPECT_THAT(refusal([&] { renderer_.prepare(forced, sampling); }), HasSubstr("tool_choice: A forced tool call"));
}

/// Whether an answer is asked for without special tokens, by what the vocabulary has.
TEST_F(RendererTest, SpecialTokensAreShownWhereTheyAreMarks) {
  const Conversation plain = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  const Conversation tools = conversation(R"({"messages": [{"role": "user", "content": "a"}],
      "tools": [{"type": "function", "function": {"name": "f"}}]})");
  const auto skips = [](const Tokenizer& tokenizer, const char* source, const char* parser, const Conversation& asked) {
    SamplingParams sampling;
    Renderer(tokenizer, source, parser).prepare(asked, sampling);
    return sampling.skip_special_tokens;
  };
  constexpr const char* kPlain = "{{ messages[0].content }}{# tools #}";
  constexpr const char* kThinks = "{{ messages[0].content }}{# tools [THINK] [/THINK] #}";
  for (const auto& [mark, parser] :
       {std::pair("<tool_call>", "hermes"), std::pair("</tool_call>", "hermes"), std::pair("<|python_tag|>", "llama3"),
        std::pair("[TOOL_CALLS]", "mistral"), std::pair("[ARGS]", "mistral"), std::pair("<tool_call>", "general")}) {
    EXPECT_FALSE(skips(byte_tokenizer({mark}), kPlain, parser, tools)) << mark;
    EXPECT_TRUE(skips(byte_tokenizer({mark}), kPlain, parser, plain)) << mark;
    EXPECT_TRUE(skips(byte_tokenizer({mark}, TokenType::kUserDefined), kPlain, parser, tools)) << mark;
    EXPECT_TRUE(skips(tokenizer_, kPlain, parser, tools)) << mark;
  }
  for (const char* mark : {"[THINK]", "[/THINK]"}) {
    EXPECT_FALSE(skips(byte_tokenizer({mark}), kThinks, "", plain)) << mark;
    EXPECT_TRUE(skips(byte_tokenizer({mark}, TokenType::kUserDefined), kThinks, "", plain)) << mark;
    EXPECT_TRUE(skips(byte_tokenizer({mark}), kPlain, "", plain)) << mark;
  }
}

TEST_F(RendererTest, ToolsAreOfferedInAGeneralFormWhereTheTemplateKnowsNone) {
  const Renderer bare(tokenizer_, "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}");
  const Conversation asked = conversation(R"({"messages": [{"role": "user", "content": "a"}],
      "tools": [{"type": "function", "function": {"name": "look"}}], "tool_choice": "required"})");
  SamplingParams sampling;
  const auto prepared = bare.prepare(asked, sampling);
  EXPECT_THAT(*prepared.prompt.text,
              testing::AllOf(testing::StartsWith("<system>You may call functions"), HasSubstr("<tool_call>"),
                             HasSubstr("\"look\""), testing::EndsWith("<user>a\n")));
  EXPECT_EQ(prepared.layout.format, ToolFormat::kGeneral);
  EXPECT_EQ(sampling.grammar.kind, GrammarSpec::Kind::kGbnf);
}

TEST_F(RendererTest, TheGeneralFormLeavesATemplateWhatItSaysItself) {
  constexpr const char* kHistory = R"({"messages": [{"role": "user", "content": "hi"},
      {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
       "function": {"name": "clock", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c1", "content": "12:00"}],
      "tools": [{"type": "function", "function": {"name": "clock"}}]})";
  // It has no word of calls: its own list of tools is enough.
  const Renderer lists(tokenizer_,
                       "TOOLS {{ tools | tojson }}\n{% for m in messages %}<{{ m.role }}>{{ m.content }}"
                       "{% endfor %}");
  EXPECT_THAT(*lists.render(conversation(kHistory)).text,
              testing::AllOf(testing::StartsWith("TOOLS [{\"type\": \"function\""), HasSubstr("]\n<user>hi<assistant>"),
                             testing::EndsWith("<tool>12:00")));
  // It writes calls, and tells of no tools: these come beside.
  const Renderer writes(
      tokenizer_,
      "{% for m in messages %}{% if m['role'] == 'assistant' and m['content'] is none %}"
      "<CALL>{{ m['tool_calls'][0]['function']['name'] }}{% else %}<{{ m['role'] }}>{{ m['content'] }}"
      "{% endif %}{% endfor %}");
  EXPECT_THAT(*writes.render(conversation(kHistory)).text,
              testing::AllOf(testing::StartsWith("<system>You may call functions"),
                             testing::EndsWith("<user>hi<CALL>clock<tool>12:00")));
}

TEST_F(RendererTest, IdsOfCallsHaveTheFormThatTheTemplateAccepts) {
  const Renderer mistral(tokenizer_,
                         "{% for m in messages %}{% for c in m.tool_calls or [] %}[TOOL_CALLS]{{ c.id }};{% endfor %}"
                         "{% if m.tool_call_id %}[TOOL_RESULTS]{{ m.tool_call_id }};{% endif %}{% endfor %}");
  const auto rendered = [&](const std::string& id) {
    const std::string messages =
        R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"id": ")" + id +
        R"(", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": ")" +
        id + R"(", "content": "x"}]})";
    return *mistral.render(conversation(messages.c_str())).text;
  };
  EXPECT_EQ(rendered("abcDEF123"), "[TOOL_CALLS]abcDEF123;[TOOL_RESULTS]abcDEF123;");
  for (const char* id : {"call_Z3uzearekcEXiA1fPPRpmLRw", "toolu_01", "1", "abcdef_12"}) {
    const std::string text = rendered(id);
    EXPECT_THAT(text, testing::MatchesRegex("\\[TOOL_CALLS\\][0-9A-Za-z]{9};\\[TOOL_RESULTS\\][0-9A-Za-z]{9};"));
    EXPECT_EQ(text.substr(12, 9), text.substr(36, 9)) << "the result names its call";
    EXPECT_EQ(text, rendered(id)) << "the same history is the same prompt";
  }
  EXPECT_NE(rendered("call_1"), rendered("call_2"));
  SamplingParams sampling;
  EXPECT_EQ(mistral
                .prepare(conversation(R"({"messages": [{"role": "user", "content": "a"}],
                              "tools": [{"type": "function", "function": {"name": "f"}}]})"),
                         sampling)
                .layout.call_id_length,
            9U);
}

}  // namespace
}  // namespace caravel::chat
