#include <gmock/gmock.h>

#include "chat/answers.h"
#include "chat/scripted_handle.h"
#include "server/anthropic/endpoints.h"
#include "server/anthropic/errors.h"
#include "server/anthropic/message_answer.h"
#include "server/harness.h"

namespace caravel::server::anthropic {
namespace {

using testing::HasSubstr;

const Json kTools = Json::parse(R"([{"name": "wait", "description": "Waits.", "input_schema": {
    "type": "object", "properties": {"long": {"type": "boolean"}}, "required": ["long"],
    "additionalProperties": false}}])");
const Json kHello = Json::parse(R"([{"role": "user", "content": "Hello"}])");

class MessagesTest : public testing::Test {
 protected:
  MessagesTest() { harness_.refuse = anthropic::error_response; }
  ~MessagesTest() override { harness_.expect_all_free(); }

  Json whole(const Json& body) { return harness_.json(messages, body); }

  /// The message that the events add up to, as Anthropic's clients add them; their order is checked.
  static Json accumulated(const std::vector<Json>& events) {
    if (events.size() < 3) {
      ADD_FAILURE() << "no stream";
      return {};
    }
    EXPECT_EQ(events.front()["type"], "message_start");
    EXPECT_EQ(events.back()["type"], "message_stop");
    Json message = events.front()["message"];
    std::string partial;
    bool open = false;
    for (size_t i = 1; i + 1 < events.size(); ++i) {
      const Json& event = events[i];
      const std::string type = event["type"];
      if (type == "content_block_start") {
        EXPECT_FALSE(open);
        EXPECT_EQ(event["index"], message["content"].size());
        message["content"].push_back(event["content_block"]);
        partial.clear();
        open = true;
      } else if (type == "content_block_delta") {
        EXPECT_TRUE(open);
        Json& block = message["content"].back();
        const std::string kind = event["delta"]["type"];
        if (kind == "input_json_delta") {
          partial += event["delta"]["partial_json"].get<std::string>();
        } else {
          const char* key = kind == "text_delta" ? "text" : "thinking";
          block[key].get_ref<std::string&>() += event["delta"][key].get<std::string>();
        }
      } else if (type == "content_block_stop") {
        EXPECT_TRUE(open);
        Json& block = message["content"].back();
        if (block["type"] == "tool_use") block["input"] = Json::parse(partial);
        open = false;
      } else {
        EXPECT_EQ(type, "message_delta");
        EXPECT_EQ(i + 2, events.size());
        message.update(event["delta"]);
        message["usage"] = event["usage"];
        if (event.contains("token_ids")) message["token_ids"] = event["token_ids"];
      }
    }
    EXPECT_FALSE(open);
    return message;
  }
  static Json without_ids(Json message) {
    message.erase("id");
    for (Json& block : message["content"]) block.erase("id");
    return message;
  }

  Harness harness_;
};

TEST_F(MessagesTest, AnswersAsAnthropicDoes) {
  const Json answer = whole({{"messages", kHello}, {"max_tokens", 8}, {"ignore_eos", true}, {"system", "Be."}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("msg_"));
  EXPECT_EQ(answer["type"], "message");
  EXPECT_EQ(answer["role"], "assistant");
  EXPECT_EQ(answer["stop_reason"], "max_tokens");
  EXPECT_TRUE(answer["stop_sequence"].is_null());
  EXPECT_EQ(answer["content"][0]["type"], "text");
  EXPECT_EQ(answer["usage"]["output_tokens"], 8);
}

TEST_F(MessagesTest, StreamAddsUpToTheWholeMessage) {
  const Json cases[] = {
      {{"temperature", 0}},
      {{"temperature", 1}, {"seed", 1}, {"stop_sequences", {"a", "e", "o"}}},
      {{"temperature", 1}, {"seed", 2}, {"tools", kTools}, {"tool_choice", {{"type", "any"}}}},
      {{"temperature", 1},
       {"seed", 3},
       {"tools", kTools},
       {"tool_choice", {{"type", "tool"}, {"name", "wait"}, {"disable_parallel_tool_use", true}}}},
  };
  for (Json body : cases) {
    body["messages"] = kHello;
    body["max_tokens"] = 100;
    whole(body);  // so that the prompt is cached either time
    const Json expected = without_ids(whole(body));
    EXPECT_SAME_JSON(without_ids(accumulated(harness_.stream(messages, body))), expected) << body;
  }
}

TEST_F(MessagesTest, ForcedToolsAreUsed) {
  const Json answer =
      whole({{"messages", kHello},
             {"max_tokens", 100},
             {"tools", kTools},
             {"tool_choice", {{"type", "tool"}, {"name", "wait"}, {"disable_parallel_tool_use", true}}}});
  EXPECT_EQ(answer["stop_reason"], "tool_use");
  ASSERT_EQ(answer["content"].size(), 1U) << answer;
  EXPECT_EQ(answer["content"][0]["type"], "tool_use");
  EXPECT_EQ(answer["content"][0]["name"], "wait");
  EXPECT_TRUE(answer["content"][0]["input"]["long"].is_boolean());
  EXPECT_TRUE(answer["content"][0]["id"].get<std::string>().starts_with("toolu_"));
}

TEST_F(MessagesTest, IdsOfCallsHaveTheFormThatTheTemplateAccepts) {
  harness_.services.renderer = chat::Renderer(harness_.engine->tokenizer(), kTemplate, "mistral");
  const Json answer =
      whole({{"messages", kHello}, {"max_tokens", 100}, {"tools", kTools}, {"tool_choice", {{"type", "any"}}}});
  EXPECT_THAT(answer["content"][0]["id"].get<std::string>(), testing::MatchesRegex("[0-9A-Za-z]{9}"));
}

/// An input is an object: what is none must not become a call with nothing, unless max_tokens cut it.
TEST_F(MessagesTest, UnreadableInputIsShown) {
  const auto input = [](const char* text, FinishReason reason) {
    const auto handle = chat::read_answers(
        std::make_unique<chat::ScriptedHandle>(std::vector<Delta>{{.text = text, .finish_reason = reason}}),
        {.format = chat::ToolFormat::kHermes,
         .tools = Json::parse(R"([{"type": "function", "function": {"name": "wait", "parameters": {}}}])")});
    MessageAnswer answer({}, {});
    const std::string written = text_of(*handle, answer);
    return Json::parse(written)["content"][0]["input"];
  };
  EXPECT_EQ(input(R"(<tool_call>{"name": "wait", "arguments": {'long': True,}}</tool_call>)", FinishReason::kStop),
            (Json{{"long", true}}));
  EXPECT_EQ(input(R"(<tool_call>{"name": "wait", "arguments": {"long": oops}}</tool_call>)", FinishReason::kStop),
            (Json{{"unreadable_arguments", R"({"long": oops})"}}));
  EXPECT_EQ(input(R"(<tool_call>{"name": "wait", "arguments": {"long": tr)", FinishReason::kLength), Json::object());
}

TEST_F(MessagesTest, ARefusedSchemaNamesItsTool) {
  const Json tools = Json::parse(R"([{"name": "plain", "input_schema": {"type": "object"}},
                                     {"name": "odd", "input_schema": {"type": "object",
                                      "properties": {"a": {"contains": {}}}}}])");
  const Json body = {{"messages", kHello}, {"max_tokens", 1}, {"tools", tools}, {"tool_choice", {{"type", "any"}}}};
  const std::string message = harness_.json(messages, body, 400)["error"]["message"];
  EXPECT_THAT(message, testing::HasSubstr("'tools.1.input_schema': the schema of tool 'odd': 'contains' at"));
}

TEST_F(MessagesTest, BlocksBecomeTurns) {
  const Json body = {{"messages", Json::parse(R"([
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": ""},
        {"type": "tool_use", "id": "1", "name": "look", "input": {"city": "Oslo"}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "sun"}]}])")},
                     {"system", Json::parse(R"([{"type": "text", "text": "S"}])")},
                     {"max_tokens", 1}};
  // The prompt shows in its length alone.
  const std::string expected = "<s>S\n<u>a\nb\n<a>look(Oslo)\n<t>sun\n<a>";
  const Json answer = whole(body);
  EXPECT_EQ(answer["usage"]["input_tokens"], harness_.engine->tokenizer().encode(expected).size());
}

TEST_F(MessagesTest, ACountIsThatOfTheAnswersPrompt) {
  Json body = {{"messages", kHello},
               {"system", "Be."},
               {"tools", kTools},
               {"tool_choice", {{"type", "auto"}}},
               {"thinking", {{"type", "disabled"}}}};
  const Json count = harness_.json(count_message_tokens, body);
  EXPECT_EQ(count.size(), 1U);
  const int steps = static_cast<int>(harness_.engine->stats().steps);
  body["max_tokens"] = 1;
  EXPECT_EQ(harness_.json(count_message_tokens, body, 400)["error"]["type"], "invalid_request_error");
  EXPECT_EQ(harness_.engine->stats().steps, steps) << "a count runs nothing";
  EXPECT_EQ(whole(body)["usage"]["input_tokens"], count["input_tokens"]);
}

TEST_F(MessagesTest, ATurnWithoutTextIsAnEmptyOne) {
  const auto tokens = [&](const char* content) {
    const Json messages = {{{"role", "user"}, {"content", Json::parse(content)}}};
    return harness_.json(count_message_tokens, {{"messages", messages}})["input_tokens"];
  };
  EXPECT_EQ(tokens("[]"), tokens("\"\""));
  EXPECT_EQ(tokens(R"([{"type": "text", "text": ""}])"), tokens("\"\""));
}

/// The shape of what Claude Code sends.
Json claude_code() {
  return Json::parse(R"({
    "model": "tiny", "max_tokens": 32000, "stream": false, "temperature": 1,
    "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
               {"type": "text", "text": "T", "cache_control": null}],
    "messages": [
      {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"},
        {"type": "tool_use", "id": "toolu_1", "name": "wait", "input": {"city": "Oslo"}, "caller": {"type": "direct"}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": false,
        "content": [{"type": "text", "text": "sun"}], "cache_control": {"type": "ephemeral"}}]},
      {"role": "system", "content": [{"type": "text", "text": "R", "cache_control": {"type": "ephemeral"}}]}],
    "tools": [{"name": "wait", "description": "Waits.", "input_schema": {"$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object", "properties": {"long": {"type": "boolean"}}, "additionalProperties": false},
      "eager_input_streaming": true, "defer_loading": false, "strict": true, "type": "custom", "allowed_callers": ["direct"],
      "input_examples": [{}], "cache_control": {"type": "ephemeral"}}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": null},
    "thinking": {"type": "adaptive", "display": "omitted", "budget_tokens": null},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high", "format": null, "task_budget": null},
    "metadata": {"user_id": "u"}, "service_tier": "auto", "speed": "standard", "diagnostics": {"previous_message_id": null},
    "fallbacks": "default", "inference_geo": null, "mcp_servers": [], "container": null, "unheard_of": null})");
}

TEST_F(MessagesTest, ClaudeCodeIsAnswered) {
  const Json answer = whole(claude_code());
  const std::string expected = "<s>S\nT\n<u>a\n<a>wait(Oslo)\n<t>sun\n<s>R\nT1<tool_call></tool_call>\n<a>";
  EXPECT_EQ(answer["usage"]["input_tokens"], harness_.engine->tokenizer().encode(expected).size());
  Json count = claude_code();
  for (const char* name : {"max_tokens", "stream", "temperature"}) count.erase(name);
  EXPECT_EQ(harness_.json(count_message_tokens, count)["input_tokens"], answer["usage"]["input_tokens"]);
  Json streamed = claude_code();
  EXPECT_EQ(accumulated(harness_.stream(messages, streamed))["type"], "message");
}

TEST_F(MessagesTest, WhatWouldChangeTheAnswerIsRefusedByName) {
  for (const char* wrong :
       {R"({"mcp_servers": [{"type": "url", "url": "u", "name": "n"}]})", R"({"container": "c"})",
        R"({"thread": {"type": "create"}})", R"({"compaction": {"type": "summarize"}})", R"({"unheard_of": 1})",
        R"({"output_config": {"efort": "high"}})", R"({"thinking": {"type": "enabled", "budget": 5}})",
        R"({"tools": [{"type": "web_search_20250305", "name": "web_search"}]})"}) {
    const Json change = Json::parse(wrong);
    Json body = claude_code();
    body.update(change);
    EXPECT_THAT(harness_.json(messages, body, 400)["error"]["message"].get<std::string>(),
                HasSubstr(change.begin().key()));
  }
}

/// As the package's threads look for it: they go on without one then.
TEST_F(MessagesTest, ARefusedThreadSaysSoToTheClient) {
  for (const char* thread : {R"({"type": "create"})", R"({"type": "continue", "previous_message_id": "msg_1"})"}) {
    Json body = claude_code();
    body["thread"] = Json::parse(thread);
    const Json error = harness_.json(messages, body, 400)["error"];
    EXPECT_EQ(error["details"],
              Json::parse(R"({"error_code": "thread_unsupported_request", "unsupported": ["thread"]})"));
  }
  Json body = claude_code();
  body["container"] = "c";
  EXPECT_FALSE(harness_.json(messages, body, 400)["error"].contains("details"));
}

TEST_F(MessagesTest, DumpedBlocksAreTakenBack) {
  Json body = {{"messages", kHello},
               {"max_tokens", 100},
               {"tools", kTools},
               {"seed", 1},
               {"tool_choice", {{"type", "any"}, {"disable_parallel_tool_use", true}}}};
  Json content = whole(body)["content"];
  // As anthropic 2.14 dumps them: [block.model_dump() for block in message.content].
  Json results = Json::array();
  for (Json& block : content) {
    block["caller"] = nullptr;
    block["toolset_name"] = nullptr;
    block["citations"] = nullptr;
    if (block["type"] != "tool_use") continue;
    results.push_back(
        {{"type", "tool_result"}, {"tool_use_id", block["id"]}, {"content", "ok"}, {"toolset_name", "t"}});
  }
  ASSERT_FALSE(results.empty()) << content;
  body["messages"].push_back({{"role", "assistant"}, {"content", content}, {"id", "msg_1"}});
  body["messages"].push_back({{"role", "user"}, {"content", results}});
  body["tool_choice"] = nullptr;
  body["max_tokens"] = 1;
  whole(body);
}

TEST_F(MessagesTest, OutputConfigIsEnforcedAndToldToTheTemplate) {
  const Json format = Json::parse(R"({"type": "json_schema", "schema": {"type": "object", "properties":
      {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false}})");
  for (const Json& said : {Json{{"output_config", {{"format", format}}}}, Json{{"output_format", format}}}) {
    Json body = {{"messages", kHello}, {"max_tokens", 60}, {"temperature", 1}, {"seed", 3}};
    body.update(said);
    const Json answer = whole(body);
    EXPECT_TRUE(Json::parse(answer["content"][0]["text"].get<std::string>())["ok"].is_boolean()) << answer;
    EXPECT_SAME_JSON(accumulated(harness_.stream(messages, body))["content"], answer["content"]);
  }
  const Json both = {
      {"messages", kHello}, {"max_tokens", 1}, {"output_config", {{"format", format}}}, {"output_format", format}};
  EXPECT_THAT(harness_.json(messages, both, 400)["error"]["message"].get<std::string>(), HasSubstr("output_format"));

  harness_.services.renderer =
      chat::Renderer(harness_.engine->tokenizer(), "{{ messages[0].content }}{{ reasoning_effort }}", "none");
  const auto tokens = [&](const Json& config) {
    const Json body = {{"messages", kHello}, {"output_config", config}};
    return harness_.json(count_message_tokens, body)["input_tokens"].get<size_t>();
  };
  const Tokenizer& tokenizer = harness_.engine->tokenizer();
  EXPECT_EQ(tokens({{"effort", "low"}}), tokenizer.encode("Hellolow").size());
  EXPECT_EQ(tokens({{"effort", "xhigh"}}), tokenizer.encode("Helloxhigh").size());
  EXPECT_EQ(tokens({{"effort", nullptr}}), tokenizer.encode("Hello").size());
}

TEST_F(MessagesTest, ZeroTokensComputeThePromptAlone) {
  const Json body = {{"messages", kHello}, {"max_tokens", 0}};
  const Json answer = whole(body);
  EXPECT_EQ(answer["content"], Json::array());
  EXPECT_EQ(answer["stop_reason"], "max_tokens");
  EXPECT_EQ(answer["usage"]["output_tokens"], 0);
  EXPECT_EQ(accumulated(harness_.stream(messages, body))["content"], Json::array());
}

TEST_F(MessagesTest, TextPartsOfTheOtherApisAreText) {
  const auto tokens = [&](const Json& turns) {
    return harness_.json(count_message_tokens, {{"messages", turns}})["input_tokens"].get<int>();
  };
  for (const char* type : {"text", "input_text", "output_text"}) {
    const Json content = {{{"type", type}, {"text", "Hello"}}};
    EXPECT_EQ(tokens(Json::array({{{"role", "user"}, {"content", content}}})), tokens(kHello)) << type;
    EXPECT_EQ(tokens({{{"role", "user"}, {"content", "a"}}, {{"role", "assistant"}, {"content", content}}}),
              tokens({{{"role", "user"}, {"content", "a"}}, {{"role", "assistant"}, {"content", "Hello"}}}))
        << type;
  }
}

TEST_F(MessagesTest, TokenIdsOfPromptAndAnswer) {
  Json body = {{"messages", kHello}, {"max_tokens", 9}, {"ignore_eos", true}, {"seed", 3}, {"return_token_ids", true}};
  whole(body);  // so that the prompt is cached either time
  const Json answer = whole(body);
  EXPECT_EQ(answer["token_ids"].size(), 9U) << answer;
  EXPECT_EQ(answer["prompt_token_ids"].size(),
            harness_.json(count_message_tokens, {{"messages", kHello}})["input_tokens"]);
  EXPECT_SAME_JSON(without_ids(accumulated(harness_.stream(messages, body))), without_ids(answer));
  body["return_token_ids"] = false;
  EXPECT_FALSE(whole(body).contains("token_ids"));
}

TEST_F(MessagesTest, AChoiceWithoutToolsIsRefusedAndNotDropped) {
  for (const Endpoint endpoint : {Endpoint(messages), Endpoint(count_message_tokens)}) {
    const auto error = [&](const Json& choice) {
      Json body = {{"messages", kHello}, {"tool_choice", choice}};
      if (endpoint == Endpoint(messages)) body["max_tokens"] = 1;
      return harness_.json(endpoint, body, 400)["error"]["message"].get<std::string>();
    };
    EXPECT_THAT(error({{"type", "any"}}), HasSubstr("'tool_choice' is only allowed when 'tools' are specified."));
    EXPECT_THAT(error({{"type", "tool"}, {"name", "wait"}}), HasSubstr("only allowed when 'tools'"));
    EXPECT_THAT(error(5), HasSubstr("expected an object, but got an integer"));
    EXPECT_THAT(error("foo"), HasSubstr("expected an object, but got a string"));
  }
  whole({{"messages", kHello}, {"max_tokens", 1}, {"tool_choice", {{"type", "none"}}}});
}

TEST_F(MessagesTest, AChoiceByNameIsOneCall) {
  for (int seed = 0; seed < 8; ++seed) {
    const Json answer = whole({{"messages", kHello},
                               {"max_tokens", 150},
                               {"temperature", 2},
                               {"seed", seed},
                               {"tools", kTools},
                               {"tool_choice", {{"type", "tool"}, {"name", "wait"}}}});
    EXPECT_EQ(answer["content"].size(), 1U) << answer;
    EXPECT_EQ(answer["content"][0]["type"], "tool_use") << answer;
  }
}

TEST_F(MessagesTest, ErrorsAreAnthropics) {
  const auto error = [&](const std::string& body, int status) {
    const http::Response response = harness_.call(messages, body);
    EXPECT_EQ(response.status, status) << body;
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json["type"], "error");
    return json["error"]["type"].get<std::string>() + ": " + json["error"]["message"].get<std::string>();
  };
  EXPECT_THAT(error("{", 400), HasSubstr("invalid_request_error: We could not parse"));
  EXPECT_THAT(error(R"({"messages": [{"role": "user", "content": "a"}]})", 400), HasSubstr("max_tokens"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": []})", 400),
              HasSubstr("messages: Invalid 'messages': empty array."));
  EXPECT_THAT(error(R"({"max_tokens": 1, "model": "claude", "messages": []})", 404), HasSubstr("not_found_error"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "boss", "content": "a"}]})", 400),
              HasSubstr("messages.0.role"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "image"}]}]})", 400),
              HasSubstr("'image'"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": "a"}],
                        "chat_template_kwargs": {"tools": []}})",
                    400),
              HasSubstr("chat_template_kwargs.tools"));
  EXPECT_THAT(
      error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": "a"}], "stop_sequences": ["b", ""]})", 400),
      HasSubstr("stop_sequences.1: Invalid 'stop_sequences.1'"));
  Admission::Ticket others(harness_.services.admission);
  others.take(1000, 1000);
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": "a"}]})", 429),
              HasSubstr("rate_limit_error"));
}

}  // namespace
}  // namespace caravel::server::anthropic
