#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "engine/watched_executor.h"
#include "server/harness.h"
#include "server/openai/endpoints.h"
#include "server/openai/logprobs.h"

namespace caravel::server::openai {
namespace {

class CompletionsTest : public testing::Test {
 protected:
  ~CompletionsTest() override { harness_.expect_all_free(); }

  Json whole(const Json& body) { return harness_.json(completions, body); }
  Json streamed(Json body) {
    body["stream_options"] = {{"include_usage", true}};
    return joined(harness_.stream(completions, std::move(body)));
  }

  Harness harness_;
};

TEST_F(CompletionsTest, AnswersAsOpenAiDoes) {
  const Json answer = whole({{"model", "tiny-too"}, {"prompt", "Once upon"}, {"max_tokens", 8}, {"ignore_eos", true}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("cmpl-"));
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["model"], "tiny-too");
  EXPECT_GT(answer["created"], 1'700'000'000);
  EXPECT_TRUE(answer["system_fingerprint"].get<std::string>().starts_with("fp_"));
  ASSERT_EQ(answer["choices"].size(), 1U);
  const Json& choice = answer["choices"][0];
  EXPECT_EQ(choice["index"], 0);
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_TRUE(choice["logprobs"].is_null());
  EXPECT_TRUE(choice["stop_reason"].is_null());
  EXPECT_EQ(answer["usage"]["completion_tokens"], 8);
  EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"].get<int>() + 8);
  EXPECT_EQ(harness_.recorder.arrivals, 1);
  EXPECT_EQ(harness_.recorder.generated, 8);
  EXPECT_EQ(harness_.recorder.finished, 1);
}

TEST_F(CompletionsTest, StreamJoinedIsTheWholeAnswer) {
  const Json cases[] = {
      {{"prompt", "Once upon a time"}},
      {{"prompt", "Once upon a time"}, {"temperature", 1.5}, {"seed", 3}, {"n", 3}, {"logprobs", 2}},
      {{"prompt", {"first", "second", "third"}}, {"temperature", 1.2}, {"seed", -1}, {"n", 2}, {"logprobs", 0}},
      {{"prompt", {5, 6, 7}}, {"echo", true}, {"return_token_ids", true}},
      {{"prompt", {{5, 6, 7}, {8, 9}}}, {"echo", true}, {"logprobs", 3}},
      {{"prompt", "abc"}, {"echo", true}, {"logprobs", 1}, {"max_tokens", 0}},
      {{"prompt", "abc"}, {"stop", {"e", "a", " "}}, {"logprobs", 1}, {"temperature", 2}, {"seed", 8}},
      {{"prompt", "abc"}, {"use_beam_search", true}, {"n", 2}, {"logprobs", 1}},
      {{"prompt", "abc"}, {"temperature", 2}, {"seed", 9}, {"logprobs", 1}, {"return_tokens_as_token_ids", true}},
  };
  for (Json body : cases) {
    if (!body.contains("max_tokens")) body["max_tokens"] = 20;
    if (!body.contains("temperature")) body["temperature"] = 0;
    body["ignore_eos"] = true;
    whole(body);  // so that the prompt is cached either time
    EXPECT_SAME_JSON(streamed(body), comparable(whole(body))) << body;
  }
}

TEST_F(CompletionsTest, ChoicesAreByPromptAndThenByAnswer) {
  Json body = {{"prompt", {"first", "second"}}, {"n", 2}, {"max_tokens", 6}, {"temperature", 1}, {"seed", 4}};
  const Json both = whole(body);
  ASSERT_EQ(both["choices"].size(), 4U);
  body["prompt"] = "second";
  const Json second = whole(body);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(both["choices"][2 + i]["index"], 2 + i);
    EXPECT_EQ(both["choices"][2 + i]["text"], second["choices"][i]["text"]);
  }
}

TEST_F(CompletionsTest, EchoedLogprobsCoverThePrompt) {
  const std::vector<int32_t> prompt = {40, 41, 42, 43};
  const Json answer =
      whole({{"prompt", prompt}, {"echo", true}, {"logprobs", 1}, {"max_tokens", 1}, {"temperature", 0}});
  const Json& choice = answer["choices"][0];
  const Json& logprobs = choice["logprobs"];
  ASSERT_EQ(logprobs["tokens"].size(), 5U);
  ASSERT_EQ(logprobs["token_logprobs"].size(), 5U);
  ASSERT_EQ(logprobs["top_logprobs"].size(), 5U);
  EXPECT_TRUE(logprobs["token_logprobs"][0].is_null());
  EXPECT_TRUE(logprobs["top_logprobs"][0].is_null());
  const auto handle = harness_.engine->submit({.prompt = prompt, .sampling = {.max_tokens = 1, .prompt_logprobs = 1}});
  for (size_t i = 1; i < 4; ++i) {
    const double expected = handle->result().prompt_logprobs[i - 1].logprob;
    EXPECT_EQ(logprobs["token_logprobs"][i], expected);
    // The token itself is among the likely ones, also where it is not the likeliest.
    EXPECT_EQ(logprobs["top_logprobs"][i][logprobs["tokens"][i].get<std::string>()], expected);
  }
  EXPECT_TRUE(choice["text"].get<std::string>().starts_with(harness_.engine->tokenizer().decode(prompt)));
}

TEST_F(CompletionsTest, ALargeAnswerIsWrittenInPieces) {
  const std::string text(150, 'x');
  Json body = {{"prompt", text},   {"echo", true},     {"logprobs", 60}, {"prompt_logprobs", 100},
               {"max_tokens", 20}, {"temperature", 1}, {"seed", 4},      {"ignore_eos", true}};
  whole(body);  // so that the prompt is cached either time
  const Json one = whole(body);
  body["n"] = 3;
  Bell bell;
  Written written;
  const auto work = harness_.begin(completions, to_text(body), bell.wake());
  int pieces = 0;
  for (size_t before = 0; !written.done(); before = written.response().body.size()) {
    EXPECT_TRUE(work->takes_long());
    work->advance(written);
    const size_t piece = written.response().body.size() - before;
    EXPECT_LT(piece, AnswerText::kPiece + (16 << 10));
    pieces += piece > 0 ? 1 : 0;
    if (piece == 0 && !written.done()) bell.wait(work->wake_time());
  }
  EXPECT_GT(pieces, 20);
  EXPECT_EQ(written.response().headers.find("content-type"), "application/json");
  const Json three = Json::parse(written.response().body);
  ASSERT_EQ(three["choices"].size(), 3U);
  for (const Json& choice : three["choices"]) {
    EXPECT_EQ(choice["prompt_logprobs"], one["choices"][0]["prompt_logprobs"]);
    const Json& logprobs = choice["logprobs"];
    const size_t tokens = logprobs["tokens"].size();
    EXPECT_EQ(tokens, choice["prompt_logprobs"].size() + 20);
    for (const char* list : {"token_logprobs", "top_logprobs", "text_offset"}) EXPECT_EQ(logprobs[list].size(), tokens);
    EXPECT_EQ(logprobs["text_offset"][tokens - 20], 150);
  }
  EXPECT_EQ(three["choices"][0]["logprobs"]["top_logprobs"][40], one["choices"][0]["logprobs"]["top_logprobs"][40]);
}

TEST_F(CompletionsTest, WhatIsLeftUnreadForLengthIsNotForgotten) {
  const Json body = {{"prompt", {{5, 6}, {7, 8, 9}}},
                     {"n", 2},
                     {"temperature", 1},
                     {"seed", 1},
                     {"max_tokens", 30},
                     {"ignore_eos", true},
                     {"logprobs", 100}};
  whole(body);
  const Json expected = comparable(whole(body));
  Json asked = body;
  asked["stream"] = true;
  asked["stream_options"] = {{"include_usage", true}};
  Bell bell;
  Written written;
  const auto work = harness_.begin(completions, to_text(asked), bell.wake());
  harness_.engine->monitor().check_integrity();  // nothing runs any more: no news will come
  while (!written.done()) {
    work->advance(written);
    if (!written.done()) {
      ASSERT_LE(work->wake_time(), Clock::now()) << "after " << written.writes() << " pieces";
    }
  }
  EXPECT_GT(written.writes(), 8);
  EXPECT_SAME_JSON(joined(Harness::events(written.response())), expected);
}

TEST_F(CompletionsTest, AnAnswerThatMayBeTooLargeIsNotBegun) {
  harness_.config.max_answer_bytes = 1 << 20;
  Json body = {{"prompt", Json(std::vector<int>(100, 7))}, {"prompt_logprobs", 100}, {"max_tokens", 1}};
  whole(body);
  body["n"] = 2;
  body["temperature"] = 1;
  const Json error = harness_.json(completions, body, 400)["error"];
  EXPECT_EQ(error["param"], "prompt_logprobs");
  EXPECT_THAT(error["message"], testing::HasSubstr("20200 log-probabilities, 1.5 MiB of text, of at most 1.0 MiB"));
  // No more tokens count than the context has room for.
  whole({{"prompt", Json(std::vector<int>(200, 7))}, {"logprobs", 100}, {"max_tokens", 1'000'000}});
  EXPECT_EQ(
      harness_.json(completions, {{"prompt", "a"}, {"logprobs", 100}, {"max_tokens", 250}}, 400)["error"]["param"],
      "logprobs");
}

TEST_F(CompletionsTest, OffsetsAreWhereTokensBegin) {
  const std::string prompt = "h\xc3\xa9llo w\xc3\xb6rld";  // two characters of two bytes
  const Json answer =
      whole({{"prompt", prompt}, {"echo", true}, {"logprobs", 0}, {"max_tokens", 0}, {"add_special_tokens", false}});
  const Json& logprobs = answer["choices"][0]["logprobs"];
  size_t bytes = 0;
  for (size_t i = 0; i < logprobs["tokens"].size(); ++i) {
    const auto token = harness_.engine->tokenizer().encode(prompt, {.add_special = false})[i];
    const std::string before = prompt.substr(0, bytes);
    const auto characters =
        std::count_if(before.begin(), before.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80U; });
    // A token that goes on with a character begins where the character does.
    const bool inside = (static_cast<uint8_t>(prompt[bytes]) & 0xC0U) == 0x80U;
    EXPECT_EQ(logprobs["text_offset"][i], characters - (inside ? 1 : 0)) << i;
    bytes += harness_.engine->tokenizer().token_bytes(token).size();
  }
  EXPECT_EQ(bytes, prompt.size());
  EXPECT_EQ(answer["choices"][0]["text"], prompt);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 0);
}

TEST_F(CompletionsTest, PromptLogprobsAreVllms) {
  const Json answer = whole({{"prompt", {40, 41, 42}}, {"prompt_logprobs", 2}, {"max_tokens", 1}});
  const Json& list = answer["choices"][0]["prompt_logprobs"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_TRUE(list[0].is_null());
  for (size_t i = 1; i < 3; ++i) {
    ASSERT_TRUE(list[i].contains(std::to_string(40 + i)));
    EXPECT_LE(list[i].size(), 3U);
    int firsts = 0;
    for (const auto& [id, entry] : list[i].items()) {
      EXPECT_EQ(entry["decoded_token"], TokenNames{harness_.engine->tokenizer()}.name(std::stoi(id)));
      firsts += entry["rank"] == 1 ? 1 : 0;
    }
    EXPECT_EQ(firsts, 1);
  }
}

TEST_F(CompletionsTest, SaysWhatStopped) {
  const Json full = whole({{"prompt", "abc"}, {"max_tokens", 20}, {"temperature", 0}, {"return_token_ids", true}});
  const Json ids = full["choices"][0]["token_ids"];
  const Json by_id = whole(
      {{"prompt", "abc"}, {"max_tokens", 20}, {"temperature", 0}, {"stop_token_ids", {ids[3]}}, {"min_tokens", 2}});
  EXPECT_EQ(by_id["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(by_id["choices"][0]["stop_reason"], ids[3]);
  const std::string text = full["choices"][0]["text"];
  const auto printable = std::find_if(text.begin() + 1, text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  ASSERT_NE(printable, text.end());
  const std::string stop(1, *printable);
  const Json by_text = whole({{"prompt", "abc"}, {"max_tokens", 20}, {"temperature", 0}, {"stop", stop}});
  EXPECT_EQ(by_text["choices"][0]["stop_reason"], stop);
  EXPECT_EQ(by_text["choices"][0]["text"], text.substr(0, text.find(stop)));
}

TEST_F(CompletionsTest, UsageComesWhereItIsAsked) {
  const Json body = {{"prompt", "abc"}, {"max_tokens", 6}, {"ignore_eos", true}};
  for (const Json& chunk : harness_.stream(completions, body)) EXPECT_FALSE(chunk.contains("usage"));
  Json asked = body;
  asked["stream_options"] = {{"include_usage", true}};
  const std::vector<Json> chunks = harness_.stream(completions, asked);
  for (size_t i = 0; i + 1 < chunks.size(); ++i) EXPECT_TRUE(chunks[i]["usage"].is_null());
  EXPECT_TRUE(chunks.back()["choices"].empty());
  EXPECT_EQ(chunks.back()["usage"]["completion_tokens"], 6);
  EXPECT_TRUE(chunks.back()["usage"]["prompt_tokens_details"].contains("cached_tokens"));
  asked["stream_options"]["continuous_usage_stats"] = true;
  int last = 0;
  for (const Json& chunk : harness_.stream(completions, asked)) {
    const int tokens = chunk["usage"]["completion_tokens"];
    EXPECT_GE(tokens, last);
    last = tokens;
  }
  EXPECT_EQ(last, 6);
}

TEST_F(CompletionsTest, CachedTokensAreTold) {
  const Json body = {{"prompt", std::vector<int>(64, 7)}, {"max_tokens", 1}};
  EXPECT_EQ(whole(body)["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  EXPECT_GE(whole(body)["usage"]["prompt_tokens_details"]["cached_tokens"], 32);
  Json salted = body;
  salted["cache_salt"] = "other";
  EXPECT_EQ(whole(salted)["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
}

TEST_F(CompletionsTest, PromptsAreCutFromTheLeft) {
  std::vector<int> tokens;
  for (int i = 0; i < 300; ++i) tokens.push_back(i);
  const auto kept = [&](int truncation) {
    return whole({{"prompt", tokens},
                  {"max_tokens", 1},
                  {"truncate_prompt_tokens", truncation},
                  {"return_token_ids", true}})["choices"][0]["prompt_token_ids"];
  };
  EXPECT_EQ(kept(10), std::vector<int>(tokens.end() - 10, tokens.end()));
  EXPECT_EQ(kept(-1), std::vector<int>(tokens.end() - 255, tokens.end()));
}

TEST_F(CompletionsTest, PromptsByTheirParts) {
  const Json parts = {{"instruction", "Say it."}, {"primary_content", "It."}};
  const Json answer = whole({{"prompt_components", parts}, {"echo", true}, {"max_tokens", 1}});
  EXPECT_TRUE(answer["choices"][0]["text"].get<std::string>().starts_with("Say it.\n\nIt."));
}

TEST_F(CompletionsTest, DroppedWorkFreesItsBlocks) {
  for (const bool stream : {false, true}) {
    for (int rings = 0; rings < 4; ++rings) {
      Bell bell;
      Written written;
      const Json body = {
          {"prompt", {"first", "second"}}, {"n", 3}, {"max_tokens", 200}, {"ignore_eos", true}, {"stream", stream}};
      const auto work = harness_.begin(completions, to_text(body), bell.wake());
      work->advance(written);
      for (int i = 0; i < rings; ++i) {
        bell.wait();
        work->advance(written);
      }
    }
    harness_.expect_all_free();
  }
  EXPECT_GT(harness_.engine->stats().cancelled_requests, 0);
}

TEST_F(CompletionsTest, WhatComesWhileTheReaderSleepsIsOneChunk) {
  Bell bell;
  Written written;
  const Json body = {{"prompt", "abc"}, {"max_tokens", 40}, {"ignore_eos", true}, {"stream", true}, {"temperature", 0}};
  const auto work = harness_.begin(completions, to_text(body), bell.wake());
  harness_.engine->monitor().check_integrity();  // waits until nothing runs
  work->advance(written);
  EXPECT_TRUE(written.done());
  EXPECT_EQ(written.writes(), 1);
  const std::vector<Json> chunks = Harness::events(written.response());
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0]["choices"][0]["finish_reason"], "length");
}

TEST_F(CompletionsTest, AHeaderNamesWhatSchemasDoNotEnforce) {
  const auto header = [&](const Json& schema, bool stream) {
    harness_.exchange->headers = {};
    const Json body = {
        {"prompt", "a"}, {"max_tokens", 2}, {"stream", stream}, {"structured_outputs", {{"json", schema}}}};
    EXPECT_EQ(harness_.call(completions, to_text(body)).status, 200);
    return std::string(harness_.exchange->headers.find("Caravel-Schema-Ignored").value_or(""));
  };
  const Json schema = {{"type", "string"}, {"unit", "kg"}, {"format", "path"}};
  EXPECT_EQ(header(schema, false), "unit, format:path");
  EXPECT_EQ(header(schema, true), "unit, format:path");
  EXPECT_EQ(header({{"type", "string"}, {"title", "t"}}, false), "");
  // Nothing of a name can end the header or begin another.
  EXPECT_EQ(header({{"type", "string"}, {"a\r\nb, %\xC3\xA9", 1}}, false), "a%0D%0Ab%2C%20%25%C3%A9");
  EXPECT_EQ(header({{"type", "string"}, {std::string(5000, 'x'), 1}}, false), std::string(64, 'x') + "...");
}

TEST_F(CompletionsTest, AContradictionIsTheRequestsFault) {
  const int32_t seven = *harness_.engine->tokenizer().find("7");
  const auto refused = [&](const char* pattern) {
    const Json body = {{"prompt", "a"},
                       {"max_tokens", 9},
                       {"structured_outputs", {{"regex", pattern}}},
                       {"allowed_token_ids", Json::array({seven})}};
    return harness_.json(completions, body, 400)["error"];
  };
  EXPECT_EQ(refused("[a-z]")["param"], "structured_outputs.regex");
  EXPECT_THAT(refused("[a-z]")["message"].get<std::string>(), testing::HasSubstr("no token can begin the answer"));
  EXPECT_THAT(refused("7{3}x")["message"].get<std::string>(), testing::HasSubstr("no token can follow"));
}

TEST(WaitingRequests, AreBounded) {
  ServeConfig config;
  config.max_waiting_requests = 3;
  Harness harness(config);
  {
    Admission::Ticket others(harness.services.admission);
    ASSERT_TRUE(others.take(2, 3));
    const http::Response response = harness.call(completions, R"({"prompt": ["a", "b"]})");
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.headers.find("Retry-After"), "1");
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], "rate_limit_exceeded");
    EXPECT_EQ(harness.call(completions, R"({"prompt": "a"})").status, 200);
  }
  // More than the bound at once are taken when nobody waits: they could never be otherwise.
  EXPECT_EQ(harness.call(completions, R"({"prompt": ["a", "b", "c", "d"]})").status, 200);
  harness.expect_all_free();
}

TEST(RequestTimeout, EndsAnAnswerAsTheTokenLimitDoes) {
  ServeConfig config;
  config.request_timeout = std::chrono::seconds(0);
  Harness harness(config, engine::watching([](const engine::StepInput&) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(5));
                  }));
  for (const bool stream : {false, true}) {
    Json body = {{"prompt", "abc"}, {"max_tokens", 250}, {"ignore_eos", true}};
    const Json answer = stream ? joined(harness.stream(completions, body)) : harness.json(completions, body);
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
    EXPECT_EQ(answer["choices"][0]["stop_reason"], "timeout");
  }
  harness.expect_all_free();
}

}  // namespace
}  // namespace caravel::server::openai
