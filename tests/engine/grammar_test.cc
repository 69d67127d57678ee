// Constrained answers, from the request to the text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "base/error.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

using testing::HasSubstr;

GrammarSpec regex(std::string pattern) { return {.kind = GrammarSpec::Kind::kRegex, .text = std::move(pattern)}; }

constexpr const char* kPattern = "[a-c]{1,8}(-[0-9]{2}){1,3}";
constexpr const char* kSchema =
    R"({"type":"object","properties":{"a":{"type":"integer","minimum":1,"maximum":50},
        "b":{"type":"array","items":{"enum":["x","y"]},"maxItems":3}},"required":["a","b"]})";

SamplingParams drawn(GrammarSpec grammar, int n = 1) {
  return {.max_tokens = 100, .temperature = 1.0F, .seed = 3, .n = n, .grammar = std::move(grammar)};
}

Request constrained(SamplingParams sampling) {
  return {.prompt = random_tokens(20, 9), .sampling = std::move(sampling)};
}

std::string refusal(Engine& engine, SamplingParams sampling) {
  try {
    engine.submit(constrained(std::move(sampling)));
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Grammar, EveryAnswerThatEndsFits) {
  for (const char* const model : {"llama", "gemma3", "llama.gguf", "gemma3.gguf", "mistral"}) {
    SCOPED_TRACE(model);
    TestEngine engine(small_config(model));
    SamplingParams params = drawn(regex(kPattern), 6);
    params.logprobs = 2;
    const Result texts = run(engine, constrained(params));
    ASSERT_EQ(texts.error, "");
    for (const Completion& completion : texts.completions) {
      EXPECT_EQ(completion.finish_reason, FinishReason::kStop);
      EXPECT_TRUE(std::regex_match(completion.text, std::regex(kPattern))) << completion.text;
    }
    const Result objects =
        run(engine, constrained(drawn({.kind = GrammarSpec::Kind::kJsonSchema, .text = kSchema}, 4)));
    for (const Completion& completion : objects.completions) {
      const auto value = nlohmann::json::parse(completion.text, nullptr, false);
      ASSERT_FALSE(value.is_discarded()) << completion.text;
      EXPECT_TRUE(value["a"] >= 1 && value["a"] <= 50 && value["b"].size() <= 3) << completion.text;
    }
    expect_all_free(engine);
  }
}

TEST(Grammar, GreedyTakesTheLikeliestTokenThatIsAllowed) {
  TestEngine engine(small_config());
  const GrammarSpec choice{.kind = GrammarSpec::Kind::kChoice, .choices = {"a", "b", "c"}};
  const Result result = run(engine, constrained({.max_tokens = 8, .logprobs = 128, .grammar = choice}));
  const Completion& completion = result.completions.at(0);
  ASSERT_EQ(completion.logprobs.size(), 2U) << "a letter, and the end";
  EXPECT_EQ(completion.text.size(), 1U);
  // Log-probabilities are the model's own: the drawn token has its own rank among all.
  const TokenLogprob& first = completion.logprobs[0];
  for (const auto& [token, logprob] : first.top) {
    if (token == first.token) {
      EXPECT_EQ(logprob, first.logprob);
    }
    const std::string_view bytes = engine.tokenizer().token_bytes(token);
    if (bytes == "a" || bytes == "b" || bytes == "c") {
      EXPECT_LE(logprob, first.logprob);
    }
  }
}

TEST(Grammar, AnswersDependNeitherOnTheBatchNorOnPreemption) {
  const auto requests = [] {
    std::vector<Request> all;
    for (uint32_t i = 0; i < 8; ++i) {
      SamplingParams params =
          drawn(i % 2 == 0 ? regex(kPattern) : GrammarSpec{.kind = GrammarSpec::Kind::kJsonSchema, .text = kSchema}, 2);
      params.seed = i;
      params.logprobs = 1;
      if (i == 7) params.grammar = {};
      all.push_back({.prompt = random_tokens(10 + i, i), .sampling = params});
    }
    return all;
  };
  std::vector<Result> alone;
  TestEngine reference(small_config());
  for (Request& request : requests()) alone.push_back(run(reference, std::move(request)));
  struct Way {
    std::optional<Preemption> preemption;
    bool late_masks = false;
  };
  for (const Way& way : {Way{}, Way{Preemption::kRecompute}, Way{Preemption::kSwap}, Way{{}, true},
                         Way{Preemption::kRecompute, true}, Way{Preemption::kSwap, true}}) {
    EngineConfig config = small_config();
    config.threads = 2;
    EngineHooks hooks{.preempt_every_draw = way.preemption};
    // Some come after the step that wants them, and after the moment that it waits.
    std::atomic<int> masks = 0;
    if (way.late_masks) {
      hooks.before_mask = [&] {
        if (masks++ % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      };
    }
    TestEngine engine(config, hooks);
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (Request& request : requests()) handles.push_back(engine.submit(std::move(request)));
    for (size_t i = 0; i < handles.size(); ++i) {
      const Result& result = handles[i]->result();
      ASSERT_EQ(result.completions.size(), alone[i].completions.size());
      for (size_t k = 0; k < result.completions.size(); ++k) {
        EXPECT_EQ(result.completions[k].token_ids, alone[i].completions[k].token_ids) << "request " << i;
      }
    }
    expect_all_free(engine);
  }
}

TEST(Grammar, AMaskThatTakesLongHoldsUpItsOwnRowAlone) {
  std::latch go(1);
  TestEngine engine(small_config(), {.before_mask = [&] { go.wait(); }});
  const auto held = engine.submit(constrained(drawn(regex(kPattern), 2)));
  const auto cancelled = engine.submit(constrained(drawn(regex(kPattern), 2)));
  const Result other =
      run(engine, {.prompt = random_tokens(20, 1), .sampling = {.max_tokens = 30, .ignore_eos = true}});
  EXPECT_EQ(other.completions.at(0).token_ids.size(), 30U);
  EXPECT_TRUE(held->poll().pending());
  cancelled->cancel();
  EXPECT_EQ(cancelled->result().completions.at(0).finish_reason, FinishReason::kCancelled)
      << "by itself, with nothing to compute";
  go.count_down();
  for (const Completion& completion : held->result().completions) {
    EXPECT_TRUE(std::regex_match(completion.text, std::regex(kPattern))) << completion.text;
  }
  expect_all_free(engine);
}

TEST(Grammar, ATextThatCanBeReadInTooManyWaysEndsTheRequestWithItsOwnError) {
  TestEngine engine(small_config());
  // Each letter may have been either of two, of which only the end of the text tells.
  SamplingParams params = drawn({.kind = GrammarSpec::Kind::kGbnf,
                                 .text = "root ::= x\nx ::= \"a\" x \"b\" | \"a\" y \"c\" | \"q\"\n"
                                         "y ::= \"a\" y \"c\" | \"a\" x \"d\" | \"q\""});
  params.bad_words = {"q"};
  const Result result = run(engine, constrained(params));
  EXPECT_THAT(result.error, HasSubstr("too ambiguous")) << result.completions.at(0).text;
  EXPECT_TRUE(result.contradicts_itself) << "sent again, it would end in the same way";
  expect_all_free(engine);
}

TEST(Grammar, WhatCannotBeEnforcedIsRefusedAtOnce) {
  TestEngine engine(small_config());
  EXPECT_THAT(refusal(engine, drawn(regex("(?<=a)a"))), HasSubstr("look-behind"));
  EXPECT_THAT(refusal(engine, drawn({.kind = GrammarSpec::Kind::kJsonSchema, .text = R"({"not":{"multipleOf":2}})"})),
              HasSubstr("'not' at #"));
  SamplingParams beams = drawn(regex("a"), 2);
  beams.use_beam_search = true;
  EXPECT_THAT(refusal(engine, beams), HasSubstr("beam search"));
}

TEST(Grammar, AContradictionThatShowsAtOnceIsRefused) {
  TestEngine engine(small_config());
  SamplingParams allowed = drawn(regex("[0-9]{3}"));
  allowed.allowed_token_ids = {*engine.tokenizer().find("a")};
  EXPECT_THAT(refusal(engine, allowed), HasSubstr("no token can begin the answer"));
  SamplingParams banned = drawn(regex("ab?|abc"));
  banned.bad_words = {"a"};
  EXPECT_THAT(refusal(engine, banned), HasSubstr("no token can begin the answer"));
  SamplingParams none = drawn(regex("a*"));
  none.allowed_token_ids = {*engine.tokenizer().find("b")};
  EXPECT_EQ(run(engine, constrained(none)).error, "") << "the empty text is whole";
}

TEST(Grammar, SaysWhatItsSchemasDoNotEnforce) {
  TestEngine engine(small_config());
  const auto handle = engine.submit(constrained(
      drawn({.kind = GrammarSpec::Kind::kJsonSchema, .text = R"({"type":"null","unit":1,"format":"path"})"})));
  EXPECT_EQ(handle->schema_annotations(), (std::vector<std::string>{"unit", "format:path"}));
  EXPECT_EQ(engine.submit(constrained(drawn(regex("a"))))->schema_annotations(), std::vector<std::string>());
}

TEST(Grammar, ADeadEndEndsTheAnswerWithAnError) {
  TestEngine engine(small_config());
  SamplingParams params = drawn(regex("[0-9]{2}x"));
  params.allowed_token_ids = {*engine.tokenizer().find("7")};
  const Result result = run(engine, constrained(params));
  EXPECT_THAT(result.error, HasSubstr("no token can follow"));
  EXPECT_TRUE(result.contradicts_itself);
  EXPECT_EQ(result.completions.at(0).finish_reason, FinishReason::kError);
  expect_all_free(engine);
  const Result after = run(engine, constrained(drawn(regex("[0-9]{3}"))));
  EXPECT_EQ(after.error, "");
}

TEST(Grammar, AnAnswerThatEndsItsRequestTakesAnothersLateDrawAlong) {
  // Two answers in step: the sixth mask is the second one's at the dead end, and comes after its logits.
  std::atomic<int> masks = 0;
  TestEngine engine(small_config(), {.before_mask = [&] {
                      if (++masks == 6) std::this_thread::sleep_for(std::chrono::milliseconds(100));
                    }});
  SamplingParams params = drawn(regex("[0-9]{2}x"), 2);
  params.allowed_token_ids = {*engine.tokenizer().find("7")};
  EXPECT_THAT(run(engine, constrained(params)).error, HasSubstr("no token can follow"));
  EXPECT_EQ(run(engine, constrained(drawn(regex("[0-9]{3}")))).error, "");
  expect_all_free(engine);
}

TEST(Grammar, AWholeTextThatCannotGoOnEnds) {
  TestEngine engine(small_config());
  SamplingParams params = drawn(regex("[0-9]{3}"));
  params.ignore_eos = true;
  const Result without_end = run(engine, constrained(params));
  EXPECT_EQ(without_end.error, "");
  EXPECT_EQ(without_end.completions.at(0).finish_reason, FinishReason::kStop);
  EXPECT_EQ(without_end.completions.at(0).text.size(), 3U);
  params.ignore_eos = false;
  params.min_tokens = 50;
  EXPECT_EQ(run(engine, constrained(params)).completions.at(0).text.size(), 3U);
  expect_all_free(engine);
}

TEST(Grammar, MinTokensAndStopStringsStillHold) {
  TestEngine engine(small_config());
  SamplingParams params = drawn(regex("[a-c]*"));
  params.min_tokens = 20;
  const Result result = run(engine, constrained(params));
  EXPECT_GE(result.completions.at(0).token_ids.size(), 20U);
  params = drawn(regex("[ab]{50}"));
  params.stop = {"b"};
  const Result stopped = run(engine, constrained(params));
  EXPECT_EQ(stopped.completions.at(0).stop_reason, "b");
  EXPECT_EQ(stopped.completions.at(0).text.find('b'), std::string::npos);
}

}  // namespace
}  // namespace caravel::engine
