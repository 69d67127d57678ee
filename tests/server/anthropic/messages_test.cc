#include <gmock/gmock.h>

#include "server/anthropic/endpoints.h"
#include "server/anthropic/errors.h"
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
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": []})", 400), HasSubstr("messages: at least one"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "model": "claude", "messages": []})", 404), HasSubstr("not_found_error"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "system", "content": "a"}]})", 400),
              HasSubstr("messages.0.role"));
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "image"}]}]})", 400),
              HasSubstr("'image'"));
  const auto ticket = harness_.services.admission.enter(1000, 1000);
  EXPECT_THAT(error(R"({"max_tokens": 1, "messages": [{"role": "user", "content": "a"}]})", 429),
              HasSubstr("rate_limit_error"));
}

}  // namespace
}  // namespace caravel::server::anthropic
