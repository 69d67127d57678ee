#include <gmock/gmock.h>

#include "chat/scripted_handle.h"
#include "server/harness.h"
#include "server/openai/endpoints.h"
#include "server/openai/response_answer.h"

namespace caravel::server::openai {
namespace {

const Json kResponseTools = Json::parse(R"([{"type": "function", "name": "wait", "strict": true, "parameters": {
    "type": "object", "properties": {"long": {"type": "boolean"}}, "required": ["long"],
    "additionalProperties": false}}])");

constexpr const char* kLogprobs = "message.output_text.logprobs";

class ResponsesTest : public testing::Test {
 protected:
  ~ResponsesTest() override { harness_.expect_all_free(); }

  Json whole(const Json& body) { return harness_.json(responses, body); }

  /// The response that a stream ends with, after checking that its deltas add up to it.
  static Json accumulated(const std::vector<Json>& events) {
    if (events.size() < 3) {
      ADD_FAILURE() << "no stream";
      return {};
    }
    EXPECT_EQ(events[0]["type"], "response.created");
    EXPECT_EQ(events[1]["type"], "response.in_progress");
    std::vector<std::string> texts;
    for (size_t i = 0; i < events.size(); ++i) {
      const Json& event = events[i];
      const std::string type = event["type"];
      EXPECT_EQ(event["sequence_number"], i);
      if (type == "response.output_item.added") {
        EXPECT_EQ(event["output_index"], texts.size());
        texts.emplace_back();
      } else if (type.ends_with(".delta")) {
        texts.back() += event["delta"].get<std::string>();
      } else if (type == "response.function_call_arguments.done") {
        EXPECT_EQ(event["arguments"], texts.back());
      } else if (type.ends_with("text.done")) {
        EXPECT_EQ(event["text"], texts.back());
      } else if (type == "response.output_item.done") {
        const Json& item = event["item"];
        EXPECT_EQ(item["type"] == "function_call" ? item["arguments"] : item["content"][0]["text"], texts.back());
      }
    }
    const Json response = events.back()["response"];
    EXPECT_EQ(events.back()["type"], "response." + response["status"].get<std::string>());
    EXPECT_EQ(response["output"].size(), texts.size());
    return response;
  }
  static Json without_ids(Json response) {
    response.erase("id");
    response.erase("created_at");
    for (Json& item : response["output"]) {
      item.erase("id");
      item.erase("call_id");
    }
    return response;
  }

  Harness harness_;
};

TEST_F(ResponsesTest, AnswersAsOpenAiDoes) {
  const Json answer =
      whole({{"input", "Hello"}, {"instructions", "Be."}, {"max_output_tokens", 8}, {"ignore_eos", true}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("resp_"));
  EXPECT_EQ(answer["object"], "response");
  EXPECT_EQ(answer["status"], "incomplete");
  EXPECT_EQ(answer["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(answer["instructions"], "Be.");
  EXPECT_EQ(answer["output"][0]["type"], "message");
  EXPECT_EQ(answer["output"][0]["content"][0]["type"], "output_text");
  EXPECT_EQ(answer["usage"]["output_tokens"], 8);
}

TEST_F(ResponsesTest, StreamEndsWithTheWholeResponse) {
  const Json cases[] = {
      {{"temperature", 0}},
      {{"temperature", 2}, {"seed", 1}, {"stop", {"a", "e", "o"}}},
      {{"temperature", 2}, {"seed", 2}, {"tools", kResponseTools}, {"tool_choice", "required"}},
      {{"text", {{"format", {{"type", "json_object"}}}}}, {"seed", 3}},
  };
  for (Json body : cases) {
    body["input"] = "Hello";
    body["max_output_tokens"] = 60;
    whole(body);  // so that the prompt is cached either time
    const Json expected = without_ids(whole(body));
    EXPECT_SAME_JSON(without_ids(accumulated(harness_.stream(responses, body))), expected) << body;
  }
}

TEST_F(ResponsesTest, TwoFormsOfOneAnswerAreRefused) {
  const Json format = {{"format", {{"type", "json_object"}}}};
  Json body = {{"input", "a"}, {"text", format}, {"structured_outputs", {{"choice", {"b"}}}}};
  EXPECT_EQ(harness_.json(responses, body, 400)["error"]["param"], "text.format");
  body["text"] = {{"format", {{"type", "text"}}}};
  EXPECT_EQ(whole(body)["output"][0]["content"][0]["text"], "b");
  body["structured_outputs"] = {{"regex", "("}};
  EXPECT_EQ(harness_.json(responses, body, 400)["error"]["param"], "structured_outputs.regex");
}

TEST_F(ResponsesTest, LogprobsOfTheText) {
  const Json body = {{"input", "Hello"},   {"max_output_tokens", 6},
                     {"ignore_eos", true}, {"temperature", 0},
                     {"top_logprobs", 2},  {"include", {"reasoning.encrypted_content", kLogprobs}}};
  const Json answer = whole(body);
  const Json part = answer["output"][0]["content"][0];
  ASSERT_EQ(part["logprobs"].size(), 6U) << answer;
  EXPECT_EQ(answer["top_logprobs"], 2);
  for (const Json& token : part["logprobs"]) {
    ASSERT_EQ(token["top_logprobs"].size(), 2U);
    EXPECT_EQ(token["top_logprobs"][0]["token"], token["token"]) << "greedy";
    EXPECT_LE(token["logprob"].get<double>(), 0);
  }
  // Chat gives the same tokens the same.
  Json chat = {{"messages", {{{"role", "user"}, {"content", "Hello"}}}},
               {"max_tokens", 6},
               {"ignore_eos", true},
               {"temperature", 0},
               {"logprobs", true},
               {"top_logprobs", 2}};
  EXPECT_SAME_JSON(harness_.json(chat_completions, chat)["choices"][0]["logprobs"]["content"], part["logprobs"]);

  Json streamed = Json::array();
  for (const Json& event : harness_.stream(responses, body)) {
    if (event["type"] == "response.output_text.delta") {
      for (const Json& token : event["logprobs"]) streamed.push_back(token);
    } else if (event["type"] == "response.output_text.done") {
      EXPECT_SAME_JSON(event["logprobs"], part["logprobs"]);
    }
  }
  EXPECT_SAME_JSON(streamed, part["logprobs"]);
}

TEST_F(ResponsesTest, LogprobsThatCannotBeGivenAreRefused) {
  const auto refused = [&](Json body) {
    body["input"] = "a";
    return harness_.json(responses, body, 400)["error"]["param"];
  };
  EXPECT_EQ(refused({{"top_logprobs", 2}}), "top_logprobs");
  EXPECT_EQ(refused({{"top_logprobs", 21}, {"include", {kLogprobs}}}), "top_logprobs");
  EXPECT_EQ(refused({{"include", {kLogprobs, "everything"}}}), "include.1");
  EXPECT_EQ(refused({{"include", {kLogprobs}}, {"tools", kResponseTools}}), "include");
  EXPECT_EQ(whole({{"input", "a"}, {"max_output_tokens", 1}})["output"][0]["content"][0]["logprobs"], Json::array());
}

TEST_F(ResponsesTest, ForcedCallsAreItems) {
  const Json answer = whole({{"input", "Hello"},
                             {"tools", kResponseTools},
                             {"parallel_tool_calls", false},
                             {"tool_choice", {{"type", "function"}, {"name", "wait"}}}});
  EXPECT_EQ(answer["status"], "completed");
  ASSERT_EQ(answer["output"].size(), 1U) << answer;
  const Json& item = answer["output"][0];
  EXPECT_EQ(item["type"], "function_call");
  EXPECT_TRUE(item["call_id"].get<std::string>().starts_with("call_"));
  EXPECT_TRUE(Json::parse(item["arguments"].get<std::string>())["long"].is_boolean());
}

TEST_F(ResponsesTest, ItemsBecomeTurns) {
  const Json input = Json::parse(R"([
      {"role": "developer", "content": "S"},
      {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
      {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "x"}]},
      {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{\"city\": \"Oslo\"}"},
      {"type": "function_call_output", "call_id": "1", "output": "sun"},
      {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
       "content": [{"type": "output_text", "text": "b", "annotations": []}]},
      {"role": "user", "content": "c"}])");
  const std::string expected = "<s>S\n<u>a\n<a>look(Oslo)\n<t>sun\n<a>b\n<u>c\n<a>";
  const Json answer = whole({{"input", input}, {"max_output_tokens", 1}});
  EXPECT_EQ(answer["usage"]["input_tokens"], harness_.engine->tokenizer().encode(expected).size());
}

TEST_F(ResponsesTest, DumpedItemsAreTakenBack) {
  // As openai 3.57 dumps them: [item.model_dump() for item in response.output].
  const Json input = Json::parse(R"([
      {"role": "user", "content": [{"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
      {"id": "rs_1", "summary": [], "type": "reasoning", "content": [{"text": "x", "type": "reasoning_text"}],
       "encrypted_content": null, "status": null},
      {"id": "msg_1", "content": [{"annotations": [], "text": "b", "type": "output_text", "logprobs": [], "parsed": {}}],
       "role": "assistant", "status": "completed", "type": "message", "phase": null},
      {"arguments": "{\"city\": \"Oslo\"}", "call_id": "1", "name": "look", "type": "function_call", "id": "fc_1",
       "async_": null, "caller": {"type": "direct"}, "namespace": null, "status": "completed",
       "parsed_arguments": {"city": "Oslo"}},
      {"type": "function_call_output", "call_id": "1", "output": [{"type": "output_text", "text": "sun"}],
       "id": null, "caller": null, "status": null}])");
  const Json tools = Json::parse(R"([{"type": "function", "name": "look", "parameters": null, "strict": null,
      "description": null, "defer_loading": false, "allowed_callers": ["direct"], "output_schema": {}}])");
  const Json answer = whole({{"input", input}, {"tools", tools}, {"max_output_tokens", 1}});
  const std::string expected = "<u>a\n<a>blook(Oslo)\n<t>sun\nT1<tool_call></tool_call>\n<a>";
  EXPECT_EQ(answer["usage"]["input_tokens"], harness_.engine->tokenizer().encode(expected).size());
}

TEST_F(ResponsesTest, ItsOwnAnswerIsTakenBack) {
  Json body = {{"input", Json::parse(R"([{"role": "user", "content": "Hello"}])")},
               {"tools", kResponseTools},
               {"tool_choice", "required"},
               {"seed", 1},
               {"max_output_tokens", 60}};
  const Json answer = whole(body);
  for (const Json& item : answer["output"]) {
    body["input"].push_back(item);
    if (item["type"] != "function_call") continue;
    body["input"].push_back({{"type", "function_call_output"}, {"call_id", item["call_id"]}, {"output", "done"}});
  }
  ASSERT_GE(body["input"].size(), 3U) << answer;
  body["tool_choice"] = "auto";
  body["max_output_tokens"] = 1;
  whole(body);
}

TEST_F(ResponsesTest, WhatClientsSendAlongIsTaken) {
  const Json body = Json::parse(R"({"input": "a", "max_output_tokens": 1, "store": false, "prompt_cache_key": "k",
      "prompt_cache_options": {"mode": "explicit"}, "context_management": [{"type": "compaction"}], "metadata": {},
      "client_metadata": {"a": "b"}, "image": {"context_compression": "auto"}, "background_options": {},
      "access_programs": {}, "safety_identifier": "s", "service_tier": "auto", "user": "u", "truncation": "disabled",
      "include": ["reasoning.encrypted_content", "file_search_call.results"], "moderation": null,
      "reasoning": {"effort": "low", "summary": "auto", "generate_summary": null, "context": "auto", "mode": "standard"},
      "text": {"format": {"type": "text", "x": null}, "verbosity": "low", "y": null}, "stream_options": null,
      "unheard_of": null})");
  whole(body);
  for (const char* wrong : {R"({"reasoning": {"mode": "pro"}})", R"({"text": {"verbositi": "low"}})",
                            R"({"moderation": {"model": "m"}})", R"({"truncation": "auto"})"}) {
    Json bad = body;
    bad.update(Json::parse(wrong));
    harness_.json(responses, bad, 400);
  }
}

TEST_F(ResponsesTest, LongNumbersAreRepeatedAsTheyWere) {
  const std::string tool =
      R"({"type":"function","name":"f","parameters":{"maximum":18446744073709551616,"const":0.1234567890123456789}})";
  const http::Response response =
      harness_.call(responses, R"({"input": "a", "max_output_tokens": 1, "tools": [)" + tool + "]}");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, testing::HasSubstr(tool));
}

TEST_F(ResponsesTest, ARefusedSchemaNamesItsTool) {
  const Json contains = {{"properties", {{"a", {{"contains", {{"type", "null"}}}}}}}};
  const Json tools = {{{"type", "function"}, {"name", "plain"}},
                      {{"type", "function"}, {"name", "odd"}, {"parameters", contains}}};
  const Json error =
      harness_.json(responses, {{"input", "a"}, {"tools", tools}, {"tool_choice", "required"}}, 400)["error"];
  EXPECT_EQ(error["param"], "tools.1.parameters");
  EXPECT_THAT(error["message"].get<std::string>(),
              testing::HasSubstr("the schema of tool 'odd': 'contains' at #/properties/a cannot be enforced"));
}

TEST_F(ResponsesTest, WhatNeedsAStoreIsRefused) {
  for (const auto& [field, value] : std::vector<std::pair<std::string, Json>>{
           {"previous_response_id", "resp_1"}, {"background", true}, {"conversation", "c"}}) {
    const Json error = harness_.json(responses, {{"input", "a"}, {field, value}}, 400)["error"];
    EXPECT_EQ(error["param"], field);
    EXPECT_EQ(error["code"], "unsupported_parameter");
  }
  EXPECT_EQ(harness_.json(responses, {{"input", Json::array({{{"type", "item_reference"}}})}}, 400)["error"]["param"],
            "input.0.type");
  EXPECT_EQ(harness_.json(responses, Json::object(), 400)["error"]["param"], "input");
}

TEST_F(ResponsesTest, IdsOfCallsHaveTheFormThatTheTemplateAccepts) {
  harness_.services.renderer = chat::Renderer(harness_.engine->tokenizer(), kTemplate, "mistral");
  const Json answer = whole({{"input", "Hello"}, {"tools", kResponseTools}, {"tool_choice", "required"}});
  EXPECT_THAT(answer["output"][0]["call_id"].get<std::string>(), testing::MatchesRegex("[0-9A-Za-z]{9}"));
}

/// The item says that its arguments are not what they should be, and the response goes on.
TEST_F(ResponsesTest, UnreadableArgumentsAreAnIncompleteItem) {
  const auto handle = chat::read_answers(
      std::make_unique<chat::ScriptedHandle>(
          std::vector<Delta>{{.text = R"(<tool_call>{"name": "wait", "arguments": {"long": oops}}</tool_call>)",
                              .finish_reason = FinishReason::kStop}}),
      {.format = chat::ToolFormat::kHermes,
       .tools = Json::parse(R"([{"type": "function", "function": {"name": "wait", "parameters": {}}}])")});
  ResponseAnswer answer({}, {}, Json::object());
  const std::string written = text_of(*handle, answer);
  const Json response = Json::parse(written);
  EXPECT_EQ(response["status"], "completed");
  ASSERT_EQ(response["output"].size(), 1U) << response;
  EXPECT_EQ(response["output"][0]["arguments"], R"({"long": oops})");
  EXPECT_EQ(response["output"][0]["status"], "incomplete");
}

TEST_F(ResponsesTest, TemplateArgumentsDoNotReplaceTheConversation) {
  const Json body = {{"input", "Hello"}, {"chat_template_kwargs", {{"messages", Json::array()}}}};
  EXPECT_EQ(harness_.json(responses, body, 400)["error"]["param"], "chat_template_kwargs.messages");
}

TEST_F(ResponsesTest, AChoiceIsATextOrAnObject) {
  const Json error =
      harness_.json(responses, {{"input", "a"}, {"tools", kResponseTools}, {"tool_choice", 5}}, 400)["error"];
  EXPECT_THAT(error["message"].get<std::string>(), testing::HasSubstr("a string or an object"));
}

TEST_F(ResponsesTest, TokenIdsOfPromptAndAnswer) {
  Json body = {
      {"input", "Hello"}, {"max_output_tokens", 9}, {"ignore_eos", true}, {"seed", 3}, {"return_token_ids", true}};
  whole(body);  // so that the prompt is cached either time
  const Json answer = whole(body);
  EXPECT_EQ(answer["token_ids"].size(), 9U) << answer;
  EXPECT_EQ(answer["prompt_token_ids"].size(), answer["usage"]["input_tokens"]);
  EXPECT_SAME_JSON(without_ids(accumulated(harness_.stream(responses, body))), without_ids(answer));
  body["return_token_ids"] = false;
  EXPECT_FALSE(whole(body).contains("token_ids"));
}

/// Reasoning, text and calls of one answer, cut anywhere.
TEST_F(ResponsesTest, CutsDoNotMatter) {
  const std::string text =
      "<think>Hm.</think>Soon.<tool_call>\n{\"name\": \"wait\", \"arguments\": {\"long\": true}}\n</tool_call>";
  const Json tools = Json::parse(R"([{"type": "function", "function": {"name": "wait", "parameters": {}}}])");
  const auto answered = [&](bool stream, size_t step) {
    std::vector<Delta> deltas;
    for (size_t i = 0; i < text.size(); i += step) deltas.push_back({.text = text.substr(i, step)});
    deltas.back().finish_reason = FinishReason::kStop;
    const auto handle =
        chat::read_answers(std::make_unique<chat::ScriptedHandle>(deltas),
                           {.format = chat::ToolFormat::kHermes,
                            .tools = tools,
                            .marks = {.begin = "<think>", .end = "</think>", .opened_by_template = false}});
    Generation generation;
    generation.stream = stream;
    ResponseAnswer answer(generation, {}, Json::object());
    const std::string written = text_of(*handle, answer);
    if (!stream) return without_ids(Json::parse(written));
    http::Response response{.status = 200, .headers = {}, .body = written};
    response.headers.add("Content-Type", "text/event-stream");
    return without_ids(accumulated(Harness::events(response)));
  };
  const Json whole = answered(false, text.size());
  ASSERT_EQ(whole["output"].size(), 3U) << whole;
  EXPECT_EQ(whole["output"][0]["type"], "reasoning");
  EXPECT_EQ(whole["output"][1]["type"], "message");
  EXPECT_EQ(whole["output"][2]["type"], "function_call");
  for (size_t step = 1; step < 30; ++step) EXPECT_SAME_JSON(answered(true, step), whole) << step;
}

}  // namespace
}  // namespace caravel::server::openai
