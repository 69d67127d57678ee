#include <gmock/gmock.h>

#include <random>

#include "chat/scripted_handle.h"
#include "server/harness.h"
#include "server/openai/chat_answer.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

using testing::HasSubstr;

const Json kMessages = {{{"role", "user"}, {"content", "Hello"}}};
const Json kTools = {{{"type", "function"},
                      {"function",
                       {{"name", "look"},
                        {"parameters",
                         {{"type", "object"},
                          {"properties", {{"city", {{"enum", {"Rome", "Oslo"}}}}}},
                          {"required", {"city"}},
                          {"additionalProperties", false}}}}}},
                     {{"type", "function"},
                      {"function",
                       {{"name", "wait"},
                        {"parameters",
                         {{"type", "object"},
                          {"properties", {{"long", {{"type", "boolean"}}}}},
                          {"required", {"long"}},
                          {"additionalProperties", false}}}}}}};

class ChatTest : public testing::Test {
 protected:
  ~ChatTest() override { harness_.expect_all_free(); }

  Json whole(const Json& body) { return harness_.json(chat_completions, body); }
  Json streamed(Json body) {
    body["stream_options"] = {{"include_usage", true}};
    return joined(harness_.stream(chat_completions, std::move(body)));
  }
  /// The prompt that the body's messages become.
  std::string prompt(Json body) {
    body["max_tokens"] = 1;
    body["return_token_ids"] = true;
    const auto ids = whole(body)["prompt_token_ids"].get<std::vector<int32_t>>();
    return harness_.engine->tokenizer().decode(ids, false);
  }

  Harness harness_;
};

TEST_F(ChatTest, AnswersAsOpenAiDoes) {
  const Json answer =
      whole({{"messages", kMessages}, {"max_completion_tokens", 8}, {"ignore_eos", true}, {"user", "u"}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("chatcmpl-"));
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["model"], "tiny");
  const Json& choice = answer["choices"][0];
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_TRUE(choice["message"]["content"].is_string());
  EXPECT_FALSE(choice["message"].contains("tool_calls"));
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 8);
  const std::vector<Json> chunks = harness_.stream(chat_completions, {{"messages", kMessages}, {"max_tokens", 8}});
  EXPECT_EQ(chunks[0]["object"], "chat.completion.chunk");
  EXPECT_EQ(chunks[0]["choices"][0]["delta"], (Json{{"role", "assistant"}, {"content", ""}}));
  for (const Json& chunk : chunks) EXPECT_EQ(chunk["id"], chunks[0]["id"]);
  EXPECT_FALSE(chunks.back()["choices"][0]["finish_reason"].is_null());
}

TEST_F(ChatTest, StreamJoinedIsTheWholeAnswer) {
  const Json cases[] = {
      {{"temperature", 0}},
      {{"temperature", 1.5}, {"seed", 1}, {"n", 3}, {"logprobs", true}, {"top_logprobs", 2}},
      {{"temperature", 2}, {"seed", 2}, {"logprobs", true}, {"stop", {"a", "e", "o"}}, {"return_token_ids", true}},
      {{"temperature", 2}, {"seed", 3}, {"tools", kTools}, {"logprobs", true}},
      {{"temperature", 1}, {"seed", 4}, {"tools", kTools}, {"tool_choice", "required"}, {"logprobs", true}},
      {{"temperature", 1}, {"seed", 5}, {"tools", kTools}, {"tool_choice", "required"}, {"n", 3}},
  };
  for (Json body : cases) {
    body["messages"] = kMessages;
    body["max_tokens"] = 40;
    if (!body.contains("tools")) body["ignore_eos"] = true;
    whole(body);  // so that the prompt is cached either time
    Json expected = comparable(whole(body));
    Json sum = streamed(body);
    for (Json& choice : sum["choices"]) choice.erase("prompt_token_ids");
    EXPECT_SAME_JSON(sum, expected) << body;
  }
}

TEST_F(ChatTest, ContentPartsAndRolesReachTheTemplate) {
  const Json body = {
      {"messages",
       {{{"role", "developer"}, {"content", "Be"}},
        {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"text", "b"}}}}},
        {{"role", "assistant"},
         {"content", nullptr},
         {"tool_calls",
          {{{"id", "1"},
            {"type", "function"},
            {"function", {{"name", "look"}, {"arguments", R"({"city": "Rome"})"}}}}}}},
        {{"role", "tool"}, {"tool_call_id", "1"}, {"content", "sun"}}}}};
  EXPECT_EQ(prompt(body), "<s>Be\n<u>a\nb\n<a>look(Rome)\n<t>sun\n<a>");
}

TEST_F(ChatTest, DumpedMessagesAreTakenBack) {
  // As openai's stream() gives a message, with what litellm adds.
  const Json body = Json::parse(R"({"messages": [
      {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}, "x": null}],
       "id": "m1", "opts": {"a": [1]}, "metadata": {}},
      {"content": null, "refusal": null, "role": "assistant", "annotations": [], "audio": null, "function_call": null,
       "tool_calls": [{"id": "1", "function": {"arguments": "{\"city\": \"Rome\"}", "name": "look",
         "parsed_arguments": {"city": "Rome"}}, "type": "function", "index": 0, "extra_content": {"google": {}}}],
       "parsed": null, "reasoning_content": null, "provider_specific_fields": {"refusal": null},
       "thinking_blocks": null, "images": []},
      {"role": "tool", "tool_call_id": "1", "content": "sun", "name": null, "cache_control": {"type": "ephemeral"}}],
      "tools": [{"type": "function", "cache_control": {"type": "ephemeral"}, "function": {"name": "look",
        "description": null, "parameters": null, "strict": null, "eager": true}}],
      "metadata": {"a": "b"}, "store": true, "prompt_cache_options": {"mode": "explicit"}, "context_management": {},
      "stream_options": null, "stop": null, "unheard_of": null, "response_format": {"type": "text", "x": null},
      "structured_outputs": {"json": null, "x": null, "disable_fallback": true, "disable_any_whitespace": false}})");
  EXPECT_EQ(prompt(body), "<u>a\n<a>look(Rome)\n<t>sun\nT1<tool_call></tool_call>\n<a>");
}

TEST_F(ChatTest, ItsOwnAnswerIsTakenBack) {
  Json body = {{"messages", kMessages}, {"tools", kTools}, {"tool_choice", "required"}, {"seed", 1}};
  const Json message = whole(body)["choices"][0]["message"];
  ASSERT_FALSE(message["tool_calls"].empty()) << message;
  body["messages"].push_back(message);
  for (const Json& call : message["tool_calls"]) {
    body["messages"].push_back({{"role", "tool"}, {"tool_call_id", call["id"]}, {"content", "done"}});
  }
  body["tool_choice"] = "auto";
  body["max_tokens"] = 1;
  whole(body);
}

TEST_F(ChatTest, WideIntegersReachTheTemplateAsTheyWere) {
  harness_.services.renderer = chat::Renderer(
      harness_.engine->tokenizer(),
      "{{ tools | tojson }}{{ messages[1].tool_calls[0].function.arguments | tojson }} {{ wide }}", "hermes");
  const Json body = parse_json(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls":
      [{"function": {"name": "f", "arguments": "{\"a\": 18446744073709551615, \"b\": -36893488147419103232}"}}]}],
      "tools": [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 18446744073709551616}}}],
      "chat_template_kwargs": {"wide": 9223372036854775808}})");
  EXPECT_EQ(prompt(body),
            R"([{"type": "function", "function": {"name": "f", "parameters": {"maximum": 18446744073709551616}}}])"
            R"({"a": 18446744073709551615, "b": -36893488147419103232} 9223372036854775808)");
}

TEST_F(ChatTest, NullsOfPromptComponentsAreAbsent) {
  const Json parts = {{"instruction", "Be"}, {"primary_content", "a"}, {"cue", nullptr}, {"x", nullptr}};
  EXPECT_EQ(prompt({{"prompt_components", parts}}), prompt({{"messages", Json::parse(R"([
      {"role": "system", "content": "Be"}, {"role": "user", "content": "a"}])")}}));
}

TEST_F(ChatTest, TextPartsOfTheOtherApisAreText) {
  for (const char* type : {"text", "input_text", "output_text"}) {
    const Json content = {{{"type", type}, {"text", "Hello"}}};
    EXPECT_EQ(prompt({{"messages", {{{"role", "user"}, {"content", content}}}}}), prompt({{"messages", kMessages}}));
  }
}

TEST_F(ChatTest, TemplateArgumentsAndContinuation) {
  EXPECT_THAT(prompt({{"messages", kMessages}, {"chat_template_kwargs", {{"think", true}}}}), HasSubstr("<think>"));
  const Json begun = {{{"role", "user"}, {"content", "Hello"}}, {{"role", "assistant"}, {"content", "Well, "}}};
  EXPECT_EQ(prompt({{"messages", begun}, {"continue_final_message", true}}), "<u>Hello\n<a>Well, ");
  EXPECT_EQ(prompt({{"messages", kMessages}, {"add_generation_prompt", false}}), "<u>Hello\n");
  const Json echoed = whole({{"messages", begun}, {"continue_final_message", true}, {"echo", true}, {"max_tokens", 4}});
  EXPECT_TRUE(echoed["choices"][0]["message"]["content"].get<std::string>().starts_with("Well, "));
  // What is not continued is no beginning of the answer.
  Json fresh = {{"messages", kMessages}, {"max_tokens", 4}, {"temperature", 0}};
  const std::string plain = whole(fresh)["choices"][0]["message"]["content"];
  fresh["echo"] = true;
  EXPECT_EQ(whole(fresh)["choices"][0]["message"]["content"], plain);
}

TEST_F(ChatTest, AForcedCallThatIsCutLeavesNoMarkup) {
  const Json tools = Json::parse(R"([{"type": "function", "function": {"name": "wait", "parameters": {
      "type": "object", "properties": {}}}}])");
  for (int length = 1; length < 40; length += 3) {
    const Json body = {
        {"messages", kMessages}, {"tools", tools}, {"tool_choice", "required"}, {"max_tokens", length}, {"seed", 3}};
    const Json choice = whole(body)["choices"][0];
    EXPECT_THAT(choice["message"]["content"].dump(), testing::AnyOf("null", R"("")")) << choice;
    if (!choice["message"].contains("tool_calls")) {
      EXPECT_EQ(choice["finish_reason"], "length");
    }
    EXPECT_SAME_JSON(joined(harness_.stream(chat_completions, body)), comparable(Json{{"choices", {choice}}}));
  }
}

TEST_F(ChatTest, LogprobsHaveExactBytes) {
  const Json answer = whole({{"messages", kMessages},
                             {"max_tokens", 60},
                             {"temperature", 2},
                             {"seed", 6},
                             {"ignore_eos", true},
                             {"logprobs", true},
                             {"top_logprobs", 3},
                             {"skip_special_tokens", false},
                             {"return_token_ids", true}});
  const Json& choice = answer["choices"][0];
  const Json& content = choice["logprobs"]["content"];
  ASSERT_EQ(content.size(), 60U);
  int partial = 0;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string_view bytes = harness_.engine->tokenizer().token_bytes(choice["token_ids"][i]);
    EXPECT_EQ(content[i]["bytes"], std::vector<uint8_t>(bytes.begin(), bytes.end()));
    EXPECT_EQ(content[i]["top_logprobs"].size(), 3U);
    EXPECT_GE(content[i]["top_logprobs"][0]["logprob"], content[i]["logprob"]);
    partial += content[i]["token"].get<std::string>().starts_with("\\x") ? 1 : 0;
  }
  EXPECT_GT(partial, 0) << "the seed draws no token that is half a character: choose another";
}

TEST_F(ChatTest, ForcedCallsAreMade) {
  for (const Json& choice : {Json("required"), Json{{"type", "function"}, {"function", {{"name", "wait"}}}}}) {
    for (const int seed : {1, 2, 3}) {
      // A choice by name is one call, whatever the request says of parallel ones.
      const Json answer = whole({{"messages", kMessages},
                                 {"tools", kTools},
                                 {"tool_choice", choice},
                                 {"parallel_tool_calls", !choice.is_string()},
                                 {"seed", seed},
                                 {"temperature", 2}});
      const Json& message = answer["choices"][0]["message"];
      EXPECT_EQ(answer["choices"][0]["finish_reason"], "tool_calls");
      EXPECT_TRUE(message["content"].is_null()) << message;
      ASSERT_EQ(message["tool_calls"].size(), 1U) << message;
      const Json& call = message["tool_calls"][0];
      EXPECT_TRUE(call["id"].get<std::string>().starts_with("call_"));
      EXPECT_EQ(call["type"], "function");
      const Json arguments = Json::parse(call["function"]["arguments"].get<std::string>());
      if (call["function"]["name"] == "wait") {
        EXPECT_TRUE(arguments["long"].is_boolean());
      } else {
        EXPECT_EQ(call["function"]["name"], "look");
        EXPECT_TRUE(choice.is_string());
        EXPECT_TRUE(arguments["city"] == "Rome" || arguments["city"] == "Oslo");
      }
    }
  }
}

TEST_F(ChatTest, StructuredOutputsFit) {
  const auto content = [&](const Json& fields) {
    Json body = {{"messages", kMessages}, {"temperature", 2}, {"seed", 3}, {"max_tokens", 100}};
    body.update(fields);
    return whole(body)["choices"][0]["message"]["content"].get<std::string>();
  };
  EXPECT_THAT(content({{"structured_outputs", {{"choice", {"yes", "no"}}}}}), testing::AnyOf("yes", "no"));
  EXPECT_THAT(content({{"guided_regex", "a{3}b?"}}), testing::AnyOf("aaa", "aaab"));
  EXPECT_THAT(content({{"structured_outputs", {{"grammar", "root ::= \"x\" | \"y\""}}}}), testing::AnyOf("x", "y"));
  const Json schema = {{"type", "object"},
                       {"properties", {{"ok", {{"type", "boolean"}}}}},
                       {"required", {"ok"}},
                       {"additionalProperties", false}};
  for (const Json& fields :
       {Json{{"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "s"}, {"schema", schema}}}}}},
        Json{{"structured_outputs", {{"json", schema}}}}, Json{{"guided_json", to_text(schema)}}}) {
    EXPECT_TRUE(Json::parse(content(fields))["ok"].is_boolean());
  }
}

/// Every way of cutting an answer gives the same: the engine joins what a slow reader did not take.
TEST_F(ChatTest, CutsDoNotMatter) {
  const std::string answers[] = {
      "<think>Rome, I guess.</think>Let me see.\n<tool_call>\n{\"name\": \"look\", \"arguments\": {\"city\": "
      "\"Rome\"}}\n"
      "</tool_call>\n<tool_call>\n{\"name\": \"wait\", \"arguments\": {\"long\": true}}\n</tool_call>",
      "Plain text with <tool_ and {\"name\": \"look\"} in it, h\xc3\xa9llo.",
      "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"city\": \"Ro",
      "<tool_call>{\"name\": \"nobody\", \"arguments\": {}}</tool_call>",
      "<tool_call>{\"name\": \"look\", \"arguments\": {\"city\": \"Ro\nme\", 'x': [True,],}}</tool_call>",
      "<tool_call>{\"name\": \"look\", \"arguments\": {\"city\": oops, \"x\": {}}}\n</tool_call> Done.",
  };
  const Tokenizer& tokenizer = harness_.engine->tokenizer();
  std::mt19937 random(1);
  for (const bool parallel : {true, false}) {
    for (const std::string& text : answers) {
      // One token for each byte, so that cuts fall everywhere but within a character.
      std::vector<Delta> pieces;
      for (size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<uint8_t>(text[i]) & 0xC0U) == 0x80U) {
          pieces.back().text += text[i];
          continue;
        }
        const auto token = static_cast<int32_t>(i % 300);
        pieces.push_back(
            {.index = 0,
             .text = std::string(1, text[i]),
             .token_ids = {token},
             .logprobs = {{.token = token, .logprob = -0.5F * static_cast<float>(i), .rank = 1, .top = {}}},
             .finish_reason = FinishReason::kNone,
             .stop_reason = ""});
      }
      pieces.back().finish_reason = FinishReason::kStop;
      const auto answered = [&](bool stream, const std::vector<Delta>& deltas) {
        const auto handle =
            chat::read_answers(std::make_unique<chat::ScriptedHandle>(deltas),
                               {.format = chat::ToolFormat::kHermes,
                                .tools = kTools,
                                .marks = {.begin = "<think>", .end = "</think>", .opened_by_template = false},
                                .with_reasoning = true,
                                .single_call = !parallel});
        Generation generation;
        generation.stream = stream;
        generation.return_token_ids = true;
        generation.prompts.resize(1);
        generation.sampling.n = 1;
        ChatAnswer answer(generation, {}, {.choices = {}, .logprobs = true}, tokenizer);
        const std::string written = text_of(*handle, answer);
        if (!stream) return comparable(Json::parse(written));
        http::Response response{.status = 200, .headers = {}, .body = written};
        response.headers.add("Content-Type", "text/event-stream");
        const std::vector<Json> chunks = Harness::events(response);
        for (const Json& chunk : chunks) {
          for (const Json& choice : chunk.value("choices", Json::array())) {
            EXPECT_LE(choice["delta"].value("tool_calls", Json::array()).size(), 1U) << chunk;
          }
        }
        Json sum = joined(chunks);
        for (Json& choice : sum["choices"]) choice.erase("prompt_token_ids");
        return sum;
      };
      Json whole = answered(false, pieces);
      whole.erase("usage");
      for (int round = 0; round < 40; ++round) {
        std::vector<Delta> cut;
        for (const Delta& piece : pieces) {
          if (cut.empty() || random() % 8 < static_cast<unsigned>(round % 9)) {
            cut.push_back(piece);
            continue;
          }
          cut.back().text += piece.text;
          cut.back().token_ids.push_back(piece.token_ids[0]);
          cut.back().logprobs.push_back(piece.logprobs[0]);
          cut.back().finish_reason = piece.finish_reason;
        }
        ASSERT_EQ(unordered(answered(true, cut)), unordered(whole)) << text;
        Json again = answered(false, cut);
        again.erase("usage");
        ASSERT_EQ(unordered(again), unordered(whole)) << text;
      }
      const Json& message = whole["choices"][0]["message"];
      if (&text == &answers[0]) {
        EXPECT_EQ(message["reasoning_content"], "Rome, I guess.");
        EXPECT_EQ(message["reasoning"], "Rome, I guess.");
        EXPECT_EQ(message["tool_calls"].size(), parallel ? 2U : 1U);
        EXPECT_EQ(whole["choices"][0]["finish_reason"], "tool_calls");
      } else if (&text == &answers[1]) {
        EXPECT_EQ(message["content"], text);
        EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop");
      } else if (&text == &answers[4]) {
        EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], R"({"city": "Ro\nme", "x": [true]})");
      } else if (&text == &answers[5]) {
        EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], R"({"city": oops, "x": {}})");
        EXPECT_EQ(message["content"], " Done.");
      }
    }
  }
}

/// Clients send the ids back, and Mistral's templates refuse others.
TEST_F(ChatTest, IdsOfCallsHaveTheFormThatTheTemplateAccepts) {
  harness_.services.renderer = chat::Renderer(harness_.engine->tokenizer(), kTemplate, "mistral");
  const Json body = {{"messages", kMessages}, {"tools", kTools}, {"tool_choice", "required"}, {"max_tokens", 100}};
  const auto accepted = testing::MatchesRegex("[0-9A-Za-z]{9}");
  const Json call = whole(body)["choices"][0]["message"]["tool_calls"][0];
  EXPECT_THAT(call["id"].get<std::string>(), accepted);
  bool streamed = false;
  for (const Json& chunk : harness_.stream(chat_completions, body)) {
    for (const Json& choice : chunk["choices"]) {
      for (const Json& begun : choice["delta"].value("tool_calls", Json::array())) {
        if (!begun.contains("id")) continue;
        EXPECT_THAT(begun["id"].get<std::string>(), accepted);
        streamed = true;
      }
    }
  }
  EXPECT_TRUE(streamed);
}

TEST_F(ChatTest, ToolsAreOfferedThoughTheTemplateKnowsNone) {
  harness_.services.renderer = chat::Renderer(
      harness_.engine->tokenizer(), "{% for m in messages %}{{ m.role[0] }}{{ m.content[-40:] }}{% endfor %}");
  const Json first =
      whole({{"messages", kMessages}, {"tools", kTools}, {"tool_choice", "required"}, {"max_tokens", 90}});
  Json message = first["choices"][0]["message"];
  ASSERT_FALSE(message["tool_calls"].empty());
  Json messages = kMessages;
  messages.push_back(message);
  for (const Json& call : message["tool_calls"]) {
    messages.push_back({{"role", "tool"}, {"tool_call_id", call["id"]}, {"content", "sun"}});
  }
  whole({{"messages", messages}, {"tools", kTools}, {"max_tokens", 4}});
}

}  // namespace
}  // namespace caravel::server::openai
