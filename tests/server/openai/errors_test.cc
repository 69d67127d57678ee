// What is wrong with a request, and how it is told.

#include <gmock/gmock.h>

#include "server/harness.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

using testing::HasSubstr;

constexpr const char* kEmpty = "empty array. Expected an array with minimum length 1";

struct Case {
  std::string body;
  std::string param;  // empty: null
  std::string code;   // empty: null
  std::string message;
  int status = 400;
};

class ErrorsTest : public testing::Test {
 protected:
  ~ErrorsTest() override { harness_.expect_all_free(); }

  void expect(Endpoint endpoint, const Case& expected) {
    SCOPED_TRACE(expected.body.substr(0, 200));
    const http::Response response = harness_.call(endpoint, expected.body);
    ASSERT_EQ(response.status, expected.status) << response.body;
    const Json error = Json::parse(response.body)["error"];
    EXPECT_EQ(error["type"], "invalid_request_error");
    EXPECT_EQ(error["param"], expected.param.empty() ? Json(nullptr) : Json(expected.param)) << error;
    EXPECT_EQ(error["code"], expected.code.empty() ? Json(nullptr) : Json(expected.code)) << error;
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(expected.message));
  }

  Harness harness_;
};

TEST_F(ErrorsTest, LongNamesAndNumbersDoNotComeBackWhole) {
  const std::string name(1'000'000, 'x');
  const std::string digits(1'000'000, '1');
  for (const std::string& body :
       {R"({"prompt": "a", ")" + name + R"(": 1})", R"({"prompt": "a", "temperature": )" + digits + "}",
        R"({"prompt": "a", "logit_bias": {")" + name + R"(": 1}})"}) {
    const http::Response response = harness_.call(completions, body);
    EXPECT_EQ(response.status, 400);
    EXPECT_LT(response.body.size(), 3000U);
    EXPECT_THAT(response.body, HasSubstr("..."));
  }
}

TEST_F(ErrorsTest, Bodies) {
  const std::string deep(10'000, '[');
  for (const Case& bad : std::vector<Case>{
           {"", "", "", "could not parse"},
           {"{", "", "", "could not parse"},
           {R"({"prompt": "a",})", "", "", "could not parse"},
           {R"({"prompt": "a"} x)", "", "", "could not parse"},
           {R"({"prompt": 1e999})", "", "", "could not parse"},
           {R"({"prompt": NaN})", "", "", "could not parse"},
           {R"({"prompt": "\ud800"})", "", "", "could not parse"},
           {"{\"prompt\": \"\xff\"}", "", "", "not UTF-8"},
           {"{\"prompt\": \"\xed\xa0\x80\"}", "", "", "not UTF-8"},
           {deep, "", "", "deeper than 64"},
           {R"({"prompt": )" + deep, "", "", "deeper than 64"},
           {R"({"n": 1, "n": 2, "prompt": "a"})", "", "", "'n' twice"},
           {"[]", "", "invalid_type", "expected an object, but got an array"},
           {"null", "", "invalid_type", "expected an object, but got null"},
       }) {
    for (const Endpoint endpoint : {completions, chat_completions}) expect(endpoint, bad);
  }
}

TEST_F(ErrorsTest, AHostileBodyTakesNoLongTime) {
  std::string body = "{";
  for (int i = 0; i < 200'000; ++i) body += "\"" + std::to_string(i) + "\": 0,";
  body += R"("prompt": "a"})";
  expect(completions, {body, "0", "unknown_parameter", "Unknown parameter: '0'"});
}

TEST_F(ErrorsTest, Fields) {
  const auto with = [](const std::string& field) { return R"({"prompt": "a", "max_tokens": 1, )" + field + "}"; };
  for (const Case& bad : std::vector<Case>{
           {R"({"max_tokens": 1})", "prompt", "missing_required_parameter", "Missing required parameter: 'prompt'"},
           {with(R"("model": "gpt-4")"), "model", "model_not_found", "'gpt-4' does not exist", 404},
           {with(R"("model": 4)"), "model", "invalid_type", "expected a string, but got an integer"},
           {with(R"("temperature": "hot")"), "temperature", "invalid_type", "expected a decimal, but got a string"},
           {with(R"("temperature": -1)"), "temperature", "decimal_below_min_value", ">= 0, but got -1"},
           {with(R"("temperature": 2.5)"), "temperature", "decimal_above_max_value", "<= 2, but got 2.5"},
           {with(R"("top_p": 1.5)"), "top_p", "decimal_above_max_value", "'top_p'"},
           {with(R"("top_k": -2)"), "top_k", "integer_below_min_value", "'top_k'"},
           {with(R"("min_p": 2)"), "min_p", "decimal_above_max_value", "'min_p'"},
           {with(R"("typical_p": 0)"), "typical_p", "decimal_below_min_value", "'typical_p'"},
           {with(R"("repetition_penalty": 0)"), "repetition_penalty", "decimal_below_min_value", ""},
           {with(R"("presence_penalty": 3)"), "presence_penalty", "decimal_above_max_value", ""},
           {with(R"("frequency_penalty": -3)"), "frequency_penalty", "decimal_below_min_value", ""},
           {with(R"("n": 0)"), "n", "integer_below_min_value", ">= 1, but got 0"},
           {with(R"("n": 1.5)"), "n", "invalid_type", "expected an integer, but got a decimal number"},
           {with(R"("n": 129)"), "n", "integer_above_max_value", ""},
           {with(R"("n": 18446744073709551615)"), "n", "integer_above_max_value", "18446744073709551615"},
           {with(R"("n": 100000000000000000000)"), "n", "integer_above_max_value", "100000000000000000000"},
           {with(R"("seed": 18446744073709551616)"), "seed", "integer_above_max_value", "18446744073709551616"},
           {with(R"("temperature": 100000000000000000000)"), "temperature", "decimal_above_max_value", "1e+20"},
           {with(R"("allowed_token_ids": [18446744073709551616])"), "allowed_token_ids.0", "integer_above_max_value",
            ""},
           {with(R"("n": 17)"), "n", "invalid_value", "the engine runs 16 sequences at once"},
           {with(R"("best_of": 2)"), "best_of", "unsupported_parameter", ""},
           {with(R"("suffix": "b")"), "suffix", "unsupported_parameter", ""},
           {with(R"("seed": "a")"), "seed", "invalid_type", ""},
           {with(R"("stop": 1)"), "stop", "invalid_type", "a string or an array of strings"},
           {with(R"("stop": ["a", 1])"), "stop.1", "invalid_type", ""},
           {with(R"("stop": "")"), "stop", "invalid_value", "the text is empty"},
           {with(R"("stop": ["a", ""])"), "stop.1", "invalid_value", "'stop.1'"},
           {with(R"("bad_words": [""])"), "bad_words.0", "invalid_value", ""},
           {with(R"("logit_bias": [])"), "logit_bias", "invalid_type", "expected an object"},
           {with(R"("logit_bias": {"a": 1})"), "logit_bias", "invalid_value", "'a'"},
           {with(R"("logit_bias": {"7": 101})"), "logit_bias.7", "decimal_above_max_value", ""},
           {with(R"("logit_bias": {"999999": 1})"), "logit_bias", "invalid_value", "999999"},
           {with(R"("allowed_token_ids": [-1])"), "allowed_token_ids.0", "integer_below_min_value", ""},
           {with(R"("stop_token_ids": ["a"])"), "stop_token_ids.0", "invalid_type", ""},
           {with(R"("bad_words": "a")"), "bad_words", "invalid_type", ""},
           {with(R"("min_tokens": 2)"), "min_tokens", "invalid_value", "min_tokens is 2"},
           {with(R"("use_beam_search": true, "n": 2, "beam_width": 1)"), "beam_width", "invalid_value", ""},
           {with(R"("structured_outputs": {"regex": "("})"), "structured_outputs.regex", "invalid_value", "not closed"},
           {with(R"("guided_json": {"items": {"type": "string"}, "uniqueItems": true})"), "guided_json",
            "invalid_value", "'uniqueItems'"},
           {with(R"("logprobs": true)"), "logprobs", "invalid_type", "expected an integer, but got a boolean"},
           {with(R"("logprobs": 1000)"), "logprobs", "integer_above_max_value", ""},
           {with(R"("prompt_logprobs": 1, "stream": true)"), "prompt_logprobs", "invalid_value", "stream"},
           {with(R"("stream": "yes")"), "stream", "invalid_type", "expected a boolean"},
           {with(R"("stream_options": {"include_usage": true})"), "stream_options", "invalid_value", "only allowed"},
           {with(R"("stream": true, "stream_options": {"x": 1})"), "stream_options.x", "unknown_parameter", ""},
           {with(R"("truncate_prompt_tokens": 0)"), "truncate_prompt_tokens", "invalid_value", ""},
           {with(R"("priority": 1e3)"), "priority", "invalid_type", ""},
           {with(R"("temprature": 1)"), "temprature", "unknown_parameter",
            "Unknown parameter: 'temprature'. Did you mean 'temperature'?"},
           {with(R"("max_token": 1)"), "max_token", "unknown_parameter", "Did you mean 'max_tokens'?"},
           {with(R"("messages": [])"), "messages", "unknown_parameter", "/v1/chat/completions reads 'messages'."},
           {with(R"("unheard_of": 1)"), "unheard_of", "unknown_parameter", "Unknown parameter: 'unheard_of'."},
           {R"({"messages": []})", "prompt", "missing_required_parameter",
            "Missing required parameter: 'prompt'. There is 'messages': /v1/chat/completions reads 'messages'."},
           {with(R"("repeat_penalty": 1.2)"), "repeat_penalty", "unsupported_parameter", "use repetition_penalty"},
           {with(R"("response_format": {"type": "xml"})"), "response_format.type", "invalid_value", "'json_schema'"},
           {with(R"("response_format": {"type": "json_schema"})"), "response_format.json_schema",
            "missing_required_parameter", ""},
           {with(R"("response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": 3}})"),
            "response_format.json_schema.schema", "invalid_type", ""},
           {with(R"("structured_outputs": {"choice": []})"), "structured_outputs.choice", "empty_array", kEmpty},
           {with(R"("structured_outputs": {"regex": "a", "choice": ["b"]})"), "structured_outputs.choice",
            "invalid_value", "'structured_outputs.regex' already"},
           {with(R"("structured_outputs": {"structural_tag": "{}"})"), "structured_outputs.structural_tag",
            "unsupported_parameter", ""},
           {with(R"("guided_regex": "a", "response_format": {"type": "json_object"})"), "guided_regex", "invalid_value",
            ""},
           {with(R"("guided_choice": [])"), "guided_choice", "empty_array", kEmpty},
           {R"({"prompt": []})", "prompt", "empty_array", kEmpty},
           {R"({"prompt": [[1], []]})", "prompt.1", "empty_array", kEmpty},
           {R"({"prompt": {"a": 1}})", "prompt", "invalid_type", ""},
           {R"({"prompt": ["a", 1]})", "prompt.1", "invalid_type", "a string or an array of token ids"},
           {R"({"prompt": [1, "a"]})", "prompt.1", "invalid_type", "expected an integer, but got a string"},
           {R"({"prompt": [1, 320]})", "prompt", "invalid_value", "320"},
           {R"({"prompt": [1, -1]})", "prompt.1", "integer_below_min_value", ""},
           {R"({"prompt": [[1], [2, 3.5]]})", "prompt.1.1", "invalid_type", ""},
           {to_text({{"prompt", std::vector<int>(256, 1)}}), "prompt", "context_length_exceeded",
            "256 tokens. However, your prompt has 256 tokens"},
           {to_text({{"prompt", std::vector<std::string>(2049, "a")}}), "prompt", "array_above_max_length", ""},
           {R"({"prompt_components": {"instruction": "a"}})", "prompt_components.primary_content",
            "missing_required_parameter", ""},
           {R"({"prompt_components": {"primary_content": "a", "foo": 1}})", "prompt_components.foo",
            "unknown_parameter", ""},
           {R"({"prompt_components": {"primary_content": 5}})", "prompt_components.primary_content", "invalid_type",
            ""},
           {R"({"prompt_components": {"primary_content": "a", "cue": true}})", "prompt_components.cue", "invalid_type",
            ""},
           {R"({"prompt_components": {"primary_content": "a", "examples": [{"input": "a", "output": 4}]}})",
            "prompt_components.examples.0.output", "invalid_type", ""},
           {R"({"prompt_components": {"primary_content": "a", "examples": [{"input": "a", "output": "b", "c": 1}]}})",
            "prompt_components.examples.0.c", "unknown_parameter", ""},
           {R"({"prompt": "a", "prompt_components": {}})", "prompt_components", "invalid_value", ""},
       }) {
    expect(completions, bad);
  }
}

TEST_F(ErrorsTest, Chats) {
  const auto with = [](const std::string& field) {
    return R"({"messages": [{"role": "user", "content": "a"}], "max_tokens": 1, )" + field + "}";
  };
  const auto message = [](const std::string& text) { return R"({"max_tokens": 1, "messages": [)" + text + "]}"; };
  const std::string tool = R"("tools": [{"type": "function", "function": {"name": "f"}}])";
  for (const Case& bad : std::vector<Case>{
           {"{}", "messages", "missing_required_parameter", ""},
           {message(""), "messages", "empty_array", kEmpty},
           {R"({"messages": "hi"})", "messages", "invalid_type", "expected an array, but got a string"},
           {message(R"("hi")"), "messages.0", "invalid_type", "expected an object"},
           {message(R"({"content": "a"})"), "messages.0.role", "missing_required_parameter", ""},
           {message(R"({"role": "boss", "content": "a"})"), "messages.0.role", "invalid_value", "'boss'"},
           {message(R"({"role": "user"})"), "messages.0.content", "missing_required_parameter", ""},
           {message(R"({"role": "user", "content": 5})"), "messages.0.content", "invalid_type", ""},
           {message(R"({"role": "user", "content": [{"type": "text"}]})"), "messages.0.content.0.text",
            "missing_required_parameter", ""},
           {message(R"({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]})"),
            "messages.0.content.0.type", "invalid_value", "'image_url'"},
           {message(R"({"role": "user", "content": "a"}, {"role": "tool", "content": "a"})"), "messages.1.tool_call_id",
            "missing_required_parameter", ""},
           {message(R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": 5}}]})"),
            "messages.0.tool_calls.0.function.arguments", "invalid_type", ""},
           {with(R"("max_tokens": 0)"), "", "", "'max_tokens' twice"},
           {with(R"("max_completion_tokens": 0)"), "max_completion_tokens", "integer_below_min_value", ""},
           {with(R"("logprobs": 3)"), "logprobs", "invalid_type", "expected a boolean"},
           {with(R"("top_logprobs": 3)"), "top_logprobs", "invalid_value", "only allowed"},
           {with(R"("logprobs": true, "top_logprobs": 21)"), "top_logprobs", "integer_above_max_value", ""},
           {with(R"("tools": [{"type": "function"}])"), "tools.0.function", "missing_required_parameter", ""},
           {with(R"("tools": [{"type": "web"}])"), "tools.0.type", "invalid_value", "'function'"},
           {with(R"("tools": [{"type": "function", "function": {"name": "a b"}}])"), "tools.0.function.name",
            "invalid_value", "'a b'"},
           {with(R"("tool_choice": "required")"), "tool_choice", "invalid_value", "only allowed when 'tools'"},
           {with(tool + R"(, "tool_choice": 5)"), "tool_choice", "invalid_type",
            "a string or an object, but got an int"},
           {with(tool + R"(, "tool_choice": "always")"), "tool_choice", "invalid_value", "'required'"},
           {with(tool + R"(, "tool_choice": {"type": "function", "function": {"name": "g"}})"),
            "tool_choice.function.name", "invalid_value", "'g'"},
           {with(tool + R"(, "tool_choice": "required", "response_format": {"type": "json_object"})"), "tool_choice",
            "invalid_value", ""},
           {with(R"("tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a":
                  {"uniqueItems": true}}}}}], "tool_choice": "required")"),
            "tools.0.function.parameters", "invalid_value",
            "Invalid 'tools.0.function.parameters': the schema of tool 'f': 'uniqueItems' at #/properties/a cannot"},
           {with(R"("tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name":
                  "g", "parameters": {"type": "string"}}}], "tool_choice": "required")"),
            "tools.1.function.parameters", "invalid_value", "the schema of tool 'g': it has the type \"string\""},
           {with(R"("tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name":
                  "g", "parameters": {"properties": {"a": {"enum": []}}, "required": ["a"]}}}],
                  "tool_choice": {"type": "function", "function": {"name": "g"}})"),
            "tools.1.function.parameters", "invalid_value",
            "the schema of tool 'g': nothing can match #/properties/a: 'enum' is empty"},
           {with(R"("documents": [{"text": "a"}, 5])"), "documents.1", "invalid_type", "expected an object"},
           {with(R"("functions": [])"), "functions", "unsupported_parameter", "use tools"},
           {with(R"("audio": {})"), "audio", "unsupported_parameter", ""},
           {with(R"("moderation": {"model": "m", "policy": {"input": {"mode": "block"}}})"), "moderation",
            "unsupported_parameter", ""},
           {with(R"("chat_template": "x")"), "chat_template", "unsupported_parameter", "--chat-template"},
           {with(R"("continue_final_message": true, "add_generation_prompt": true)"), "continue_final_message",
            "invalid_value", ""},
           {with(R"("chat_template_kwargs": {"think": true, "messages": []})"), "chat_template_kwargs.messages",
            "invalid_value", "'messages'"},
           {with(R"("chat_template_kwargs": {"bos_token": "x"})"), "chat_template_kwargs.bos_token", "invalid_value",
            ""},
           {with(R"("chat_template_kwargs": {"add_generation_prompt": false})"),
            "chat_template_kwargs.add_generation_prompt", "invalid_value", ""},
           {with(R"("chat_template_kwargs": [])"), "chat_template_kwargs", "invalid_type", ""},
           {to_text({{"messages", {{{"role", "user"}, {"content", std::string(2000, 'x')}}}}}), "messages",
            "context_length_exceeded", ""},
       }) {
    expect(chat_completions, bad);
  }
}

TEST_F(ErrorsTest, EmptyListsAreToldAlike) {
  expect(responses, {R"({"input": []})", "input", "empty_array", kEmpty});
  expect(embeddings, {R"({"input": []})", "input", "empty_array", kEmpty});
  expect(embeddings, {R"({"input": [[]]})", "input.0", "empty_array", kEmpty});
}

TEST(Chats, AreRefusedWithoutATemplate) {
  Harness harness;
  harness.services.renderer = chat::Renderer(harness.engine->tokenizer());
  const Json body = {{"messages", {{{"role", "user"}, {"content", "a"}}}}};
  EXPECT_THAT(harness.json(chat_completions, body, 400)["error"]["message"].get<std::string>(),
              HasSubstr("/v1/completions"));
}

TEST(Chats, ToolsAreRefusedWhereTheParserIsNone) {
  Harness harness;
  harness.services.renderer = chat::Renderer(harness.engine->tokenizer(), kTemplate, "none");
  Json body = {{"messages", {{{"role", "user"}, {"content", "a"}}}},
               {"tools", {{{"type", "function"}, {"function", {{"name", "f"}}}}}},
               {"max_tokens", 1}};
  EXPECT_EQ(harness.json(chat_completions, body, 400)["error"]["param"], "tools");
  body["tool_choice"] = "none";
  harness.json(chat_completions, body);
}

}  // namespace
}  // namespace caravel::server::openai
