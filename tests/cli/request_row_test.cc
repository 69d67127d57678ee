#include "cli/request_row.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "fixtures.h"
#include "server/harness.h"
#include "server/tokenize.h"

namespace caravel::cli {
namespace {

using server::Harness;

/// Gemma's: no place for tools, the system message within the first turn, other roles refused.
constexpr const char* kGemmaLike = R"({{ bos_token }}{%- set ns = namespace(system='') -%}
{%- if messages[0].role == 'system' -%}{%- set ns.system = messages[0].content + '\n\n' -%}
{%- set messages = messages[1:] -%}{%- endif -%}
{%- for m in messages -%}{{ '<start_of_turn>' + (m.role if m.role == 'user' else 'model') + '\n' }}
{{- ns.system if loop.first }}{{ m.content | trim }}{{ '<end_of_turn>\n' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%})";

/// Qwen's: tools in the system message, calls within tags, a switch for reasoning.
constexpr const char* kQwenLike = R"({%- if tools -%}{{ '<|im_start|>system\n' }}
{%- for t in tools %}{{ t | tojson }}{{ '\n' }}{% endfor -%}
{{ '<tool_call>\n{"name": <name>, "arguments": <args>}\n</tool_call><|im_end|>\n' }}{%- endif -%}
{%- for d in documents or [] %}{{ d.title }}: {{ d.text }}{{ '\n' }}{% endfor -%}
{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' }}{{ m.content }}
{%- for c in m.tool_calls or [] -%}{{ '\n<tool_call>\n' }}{{ c.function | tojson }}{{ '\n</tool_call>' }}{%- endfor -%}
{{ '<|im_end|>\n' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and not enable_thinking -%}{{ '<think>\n\n</think>\n\n' }}{%- endif -%}{%- endif -%})";

const Json kTool =
    Json::parse(R"({"type": "function", "function": {"description": "Looks.", "name": "look", "strict": true,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}})");

/// What both ways into the prompt have to understand alike.
std::vector<Json> bodies() {
  const Json user = Json::parse(R"([{"role": "user", "content": "Hello"}])");
  const Json parts = Json::parse(R"([{"role": "developer", "content": "Be."},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}])");
  const Json calls = Json::parse(R"([{"role": "user", "content": "Rome?"},
      {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{\"city\": \"Rome\"}"}}]},
      {"role": "tool", "tool_call_id": "1", "content": "sun"}])");
  const Json begun =
      Json::parse(R"([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Well, "}])");
  // As a table gives rows: a column that one message has is null in all others.
  const Json nulls = Json::parse(R"([{"role": "user", "content": "Hello", "name": null, "tool_calls": null,
      "tool_call_id": null, "reasoning_content": null, "weight": null, "source": "book"}])");
  const Json wide_tool =
      parse_json(R"({"type": "function", "function": {"name": "count", "parameters": {"type": "object",
      "properties": {"n": {"type": "integer", "maximum": 18446744073709551616}}}}})");
  return {
      {{"messages", user}},
      {{"messages", parts}},
      {{"messages", calls}},
      {{"messages", calls}, {"tools", {kTool}}},
      {{"messages", parts}, {"tools", {kTool}}},
      {{"messages", user}, {"tools", {kTool}}, {"tool_choice", "none"}},
      {{"messages", user}, {"tools", {kTool}}, {"tool_choice", "required"}, {"parallel_tool_calls", false}},
      {{"messages", user}, {"documents", {{{"title", "T"}, {"text", "x"}}}}},
      {{"messages", user}, {"chat_template_kwargs", {{"enable_thinking", false}}}},
      {{"messages", user}, {"reasoning_effort", "low"}},
      {{"messages", begun}, {"continue_final_message", true}},
      {{"messages", user}, {"add_generation_prompt", false}},
      {{"messages", user}, {"add_special_tokens", true}},
      {{"messages", nulls}, {"tools", nullptr}, {"documents", nullptr}, {"chat_template_kwargs", nullptr}},
      {{"messages", user}, {"tools", {wide_tool}}},
  };
}

std::vector<int32_t> tokens_of(const Submission& submission) {
  return std::get<std::vector<int32_t>>(submission.request.prompt);
}

TEST(Rows, BecomeTheServersPrompts) {
  Harness harness;
  const std::string smollm2_like = read_file(tests::fixtures() + "/templates/chatml.jinja");
  for (const auto& [source, parser] :
       {std::pair<std::string, const char*>(smollm2_like, "hermes"),
        std::pair<std::string, const char*>(kGemmaLike, ""), std::pair<std::string, const char*>(kQwenLike, "")}) {
    harness.services.renderer = chat::Renderer(harness.engine->tokenizer(), source, parser);
    for (const Json& body : bodies()) {
      const Json tokens = harness.json(server::tokenize, body)["tokens"];
      EXPECT_EQ(tokens.get<std::vector<int32_t>>(), tokens_of(parse_row(body, {}, harness.services.renderer)))
          << body << "\n"
          << source;
    }
  }
}

TEST(Rows, AreRefusedAsTheServerRefuses) {
  Harness harness;
  const auto refusal = [&](const Json& row) -> std::string {
    try {
      parse_row(row, {}, harness.services.renderer);
    } catch (const FieldError& error) {
      return error.path;
    }
    return "no error";
  };
  EXPECT_EQ(refusal(Json::parse(R"({"messages": [{"role": "boss", "content": "a"}]})")), "messages.0.role");
  EXPECT_EQ(refusal(Json::parse(R"({"messages": [], "prompt": "a"})")), "messages");
  EXPECT_EQ(refusal(Json::object()), "prompt");
  EXPECT_EQ(refusal({{"prompt", "a"}, {"temprature", 1}}), "temprature");
  EXPECT_EQ(refusal({{"prompt", "a"}, {"temperature", "hot"}}), "temperature");
  EXPECT_EQ(refusal({{"prompt", "a"}, {"logprobs", 1000}}), "logprobs");
  EXPECT_EQ(refusal({{"prompt", "a"}, {"tools", Json::array()}}), "tools");
}

TEST(Rows, ThatWereSentToAServerBefore) {
  Harness harness;
  const Json row = Json::parse(R"({"prompt": "a", "stream": true, "stream_options": {"include_usage": true},
      "store": false, "service_tier": "auto", "top_k": null, "unheard_of": null, "logprobs": null})");
  EXPECT_EQ(parse_row(row, {}, harness.services.renderer).request.sampling.logprobs, std::nullopt);
}

TEST(Rows, LinesKeepWideIntegers) {
  EXPECT_EQ(to_text(parse_line(R"({"id": 18446744073709551616})", "rows", 3)), R"({"id":18446744073709551616})");
  Harness harness;
  const Json row = parse_line(R"({"id": 18446744073709551616, "prompt": "a"})", "rows", 3);
  EXPECT_EQ(parse_row(row, {}, harness.services.renderer).request.id, "18446744073709551616");
  for (const char* line : {"[]", "{", "7"}) {
    try {
      parse_line(line, "rows.jsonl", 3);
      ADD_FAILURE() << line;
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), testing::StartsWith("rows.jsonl:3: not a JSON object"));
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("line 1"))) << "the parser's own count";
    }
  }
}

TEST(Rows, AddToWhatTheFlagsSay) {
  Harness harness;
  SamplingParams given;
  given.temperature = 0.5F;
  given.top_k = 7;
  const Json row = {{"id", 3}, {"prompt", {5, 6}}, {"temperature", 1}, {"logprobs", true}, {"top_logprobs", 2}};
  const Submission submission = parse_row(row, given, harness.services.renderer);
  EXPECT_EQ(submission.request.id, "3");
  EXPECT_EQ(submission.request.sampling.temperature, 1.0F);
  EXPECT_EQ(submission.request.sampling.top_k, 7);
  EXPECT_EQ(submission.request.sampling.logprobs, 2);
  EXPECT_FALSE(submission.layout) << "a completion is not taken apart";
}

TEST(Rows, AnswersOfChatsHaveAMessage) {
  Harness harness;
  const Json row = {{"messages", Json::parse(R"([{"role": "user", "content": "Hello"}])")},
                    {"tools", {kTool}},
                    {"tool_choice", "required"},
                    {"seed", 1},
                    {"max_tokens", 200}};
  const auto handle = parse_row(row, {}, harness.services.renderer).submit(*harness.engine);
  const Result& result = handle->result();
  const Json json = completion_json(result, result.completions.at(0), true, harness.engine->tokenizer());
  EXPECT_EQ(json["message"]["role"], "assistant");
  ASSERT_FALSE(json["message"]["tool_calls"].empty()) << json;
  EXPECT_EQ(json["message"]["tool_calls"][0]["function"]["name"], "look");
  EXPECT_EQ(json["text"], result.completions[0].text);
}

}  // namespace
}  // namespace caravel::cli
