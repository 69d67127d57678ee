// Engine::chat, from the messages to the answer taken apart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "chat/renderer.h"
#include "engine/harness.h"
#include "fields/fields.h"

namespace caravel::engine {
namespace {

using testing::HasSubstr;

/// Hermes' marks of calls and of reasoning stand in it; everything it is given is in the prompt.
constexpr const char* kTemplate =
    "{% if tools %}<tool_call>{% for t in tools %}{{ t.function.name }};{% endfor %}{% endif %}"
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.tool_calls %}{{ m.tool_calls[0].function.arguments.x "
    "}}"
    "{% endif %}{{ '\\n' }}{% endfor %}{{ shout }}";

class ChatTest : public testing::Test {
 protected:
  static EngineConfig config() {
    EngineConfig config = small_config();
    config.chat_template = kTemplate;
    config.tool_call_parser = "hermes";
    return config;
  }

  static ChatRequest hello() {
    ChatRequest request;
    request.messages = {{.role = "user", .content = "Hello"}};
    request.sampling.max_tokens = 200;
    request.sampling.seed = 1;
    return request;
  }

  static Tool tool() {
    return {.name = "add", .description = "Adds", .parameters = R"({"type":"object","properties":{"x":{"type":"integer",
            "minimum":0,"maximum":99}},"required":["x"],"additionalProperties":false})"};
  }

  std::string refusal(const ChatRequest& request) {
    try {
      engine_.chat(request);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "accepted";
  }

  TestEngine engine_{config()};
};

TEST_F(ChatTest, IsThePromptThatTheTemplateMakes) {
  ChatRequest request = hello();
  request.messages = {{.role = "system", .content = "Be brief"},
                      {.role = "user", .content = "Hello"},
                      {.role = "assistant", .tool_calls = {{.id = "1", .name = "add", .arguments = R"({"x": 7})"}}},
                      {.role = "tool", .content = "14", .tool_call_id = "1"}};
  request.template_kwargs = R"({"shout": "NOW"})";
  request.sampling.max_tokens = 8;
  const std::string prompt = "system: Be brief\nuser: Hello\nassistant: 7\ntool: 14\nNOW";
  const Result expected = run(engine_, {.prompt = prompt, .sampling = request.sampling});
  const Result result = engine_.chat(request)->result();
  EXPECT_EQ(result.completions.at(0).token_ids, expected.completions.at(0).token_ids);
  EXPECT_EQ(result.usage.prompt_tokens, expected.usage.prompt_tokens);
  EXPECT_EQ(engine_.model().chat_template, kTemplate);
}

TEST_F(ChatTest, AForcedCallComesTakenApart) {
  ChatRequest request = hello();
  request.tools = {tool()};
  request.tool_choice = ChatRequest::ToolChoice::kRequired;
  const auto handle = engine_.chat(request);
  std::string name, arguments;
  while (const auto next = handle->next()) {
    for (const Piece& piece : next->pieces) {
      if (piece.kind == Piece::Kind::kToolCall && piece.index == 0) name += piece.text;
      if (piece.kind == Piece::Kind::kToolArguments && piece.index == 0) arguments += piece.text;
    }
  }
  const Completion& completion = handle->result().completions.at(0);
  ASSERT_FALSE(completion.tool_calls.empty()) << completion.text;
  EXPECT_EQ(completion.content, "");
  EXPECT_EQ(completion.tool_calls[0].name, "add");
  EXPECT_EQ(name, "add");
  EXPECT_EQ(completion.tool_calls[0].arguments, arguments);
  const auto values = nlohmann::json::parse(arguments);
  EXPECT_TRUE(values["x"] >= 0 && values["x"] <= 99) << arguments;
  expect_all_free(engine_);
}

TEST_F(ChatTest, RefusesWhatIsNoConversation) {
  ChatRequest request;
  EXPECT_THAT(refusal(request), HasSubstr("messages"));
  request = hello();
  request.messages[0].role = "wizard";
  EXPECT_THAT(refusal(request), HasSubstr("wizard"));
  request = hello();
  request.tools = {tool()};
  request.tools[0].parameters = "{";
  EXPECT_THAT(refusal(request), HasSubstr("tools.0.parameters"));
  request.tools[0].parameters = R"({"contains": {}})";
  request.tool_choice = ChatRequest::ToolChoice::kRequired;
  EXPECT_THAT(refusal(request), HasSubstr("'tools.0.function.parameters': the schema of tool 'add': 'contains' at #"));
  request.tool_choice = ChatRequest::ToolChoice::kAuto;
  request.tools[0].parameters = "";
  request.template_kwargs = "[]";
  EXPECT_THAT(refusal(request), HasSubstr("template_kwargs"));
  request.template_kwargs = "";
  request.tools[0].name = "two words";
  EXPECT_THAT(refusal(request), HasSubstr("two words"));
}

// From either convention: the template says it, and nothing of the configuration has to.
TEST(ChatOfGptOss, IsHarmony) {
  for (const char* model : {"gpt_oss", "gpt_oss.gguf"}) {
    TestEngine engine(small_config(model));
    ChatRequest request;
    request.messages = {{.role = "user", .content = "Hi"}};
    request.sampling = {.max_tokens = 100, .seed = 1};
    request.tools = {{.name = "add", .parameters = R"({"type": "object", "properties": {"x": {"enum": [1, 2]}},
                                                       "required": ["x"], "additionalProperties": false})"}};
    request.tool_choice = ChatRequest::ToolChoice::kRequired;
    const Completion called = engine.chat(request)->result().completions.at(0);
    ASSERT_FALSE(called.tool_calls.empty()) << called.text;
    EXPECT_EQ(called.tool_calls[0].name, "add");
    EXPECT_THAT(called.text, testing::StartsWith(" to=functions.add<|channel|>commentary json<|message|>{")) << model;
    EXPECT_EQ(called.content, "");
    const chat::Renderer renderer(engine.tokenizer(), engine.model());
    SamplingParams sampling;
    const nlohmann::ordered_json body =
        nlohmann::ordered_json::parse(R"({"messages": [{"role": "user", "content": "Hi"},
        {"role": "assistant", "reasoning": "Hm.", "tool_calls": [
          {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
          {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "F"}, {"role": "tool", "tool_call_id": "2", "content": "G"}]})");
    Fields fields(body);
    const auto prepared = renderer.prepare(chat::parse_conversation(fields), sampling);
    EXPECT_TRUE(prepared.layout.marks.in_channels);
    EXPECT_EQ(*prepared.prompt.text,
              "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>"
              "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>"
              "<|start|>functions to=assistant<|channel|>commentary<|message|>\"F\"<|end|>"
              "<|start|>assistant to=functions.g<|channel|>commentary json<|message|>{}<|call|>"
              "<|start|>functions to=assistant<|channel|>commentary<|message|>\"G\"<|end|><|start|>assistant");
  }
}

TEST(ChatConfig, ATemplateThatIsNoneIsRefusedOnlyWhereItWasAskedFor) {
  EngineConfig config = small_config();
  config.chat_template = "{% if";
  EXPECT_THROW(TestEngine{config}, Error);
  config.chat_template = "";
  config.tool_call_parser = "no such parser";
  EXPECT_THROW(TestEngine{config}, InvalidArgument);
}

}  // namespace
}  // namespace caravel::engine
