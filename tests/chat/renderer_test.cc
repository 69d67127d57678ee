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

TEST_F(RendererTest, TheBeginningOfSequenceIsThereOnce) {
  const Conversation plain = conversation(R"({"messages": [{"role": "user", "content": "a"}]})");
  const std::vector<int32_t> tokens = renderer_.render(plain).tokens;
  EXPECT_EQ(tokens[0], 256);
  EXPECT_NE(tokens[1], 256);
  const Renderer without(tokenizer_, "{{ messages[0].content }}");
  EXPECT_EQ(without.render(plain).tokens.front(), 256);
  Conversation bare = plain;
  bare.add_special_tokens = false;
  EXPECT_NE(without.render(bare).tokens.front(), 256);
}

TEST_F(RendererTest, AFinalMessageIsContinued) {
  EXPECT_EQ(text(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Well, "}],
                    "continue_final_message": true})"),
            "<s><user>a\n<assistant>Well,");
  const Renderer upper(tokenizer_, "{{ messages[0].content | upper }}");
  EXPECT_THAT(refusal([&] {
                upper.render(conversation(
                    R"({"messages": [{"role": "assistant", "content": "well"}], "continue_final_message": true})"));
              }),
              HasSubstr("messages: The chat template changes the final message"));
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
  Conversation tools = plain;
  tools.tools.list = tools_named({"f"});
  tools.tools.choose("auto");
  EXPECT_THAT(refusal([&] { Renderer(tokenizer_, "{{ messages[0].content }}").render(tools); }),
              HasSubstr("--tool-call-parser"));
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
  EXPECT_EQ(layout.marks.end, "") << "a grammar leaves no room for reasoning";
  EXPECT_EQ(sampling.grammar.schemas.size(), 1U);
  EXPECT_TRUE(sampling.skip_special_tokens);
  EXPECT_THAT(refusal([&] { renderer_.prepare(forced, sampling); }), HasSubstr("tool_choice: A forced tool call"));
  const Renderer llama(tokenizer_, kTemplate, "llama3");
  SamplingParams other;
  llama.prepare(forced, other);
  EXPECT_FALSE(other.skip_special_tokens) << "its marks are special tokens";
}

}  // namespace
}  // namespace caravel::chat
