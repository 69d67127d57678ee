#include "fields/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "fields/fields.h"

namespace caravel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

SamplingParams read(Surface surface, const std::string& text) {
  const Json json = Json::parse(text);
  Fields fields(json, surface);
  SamplingParams params;
  read_sampling(fields, surface, params);
  fields.refuse_unknown();
  return params;
}

/// "path code message"
std::string refusal(Surface surface, const std::string& text) {
  try {
    read(surface, text);
  } catch (const FieldError& error) {
    return error.path + " " + error.code + " " + error.what();
  }
  return "accepted";
}

TEST(ReadSampling, SetsWhatIsGivenAndNothingElse) {
  const SamplingParams params = read(Surface::kCompletions, R"({"temperature": 0.5, "top_k": null, "n": 3,
    "seed": 18446744073709551615, "stop": "end", "bad_words": ["a", "b"], "stop_token_ids": [5], "ignore_eos": true,
    "skip_special_tokens": false, "logit_bias": {"7": -100, "8": 1.5, "9": null}, "user": "u"})");
  EXPECT_EQ(params.temperature, 0.5F);
  EXPECT_EQ(params.top_k, std::nullopt);
  EXPECT_EQ(params.max_tokens, std::nullopt);
  EXPECT_EQ(params.n, 3);
  EXPECT_EQ(params.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_THAT(params.stop, ElementsAre("end"));
  EXPECT_THAT(params.bad_words, ElementsAre("a", "b"));
  EXPECT_THAT(params.stop_token_ids, ElementsAre(5));
  EXPECT_TRUE(params.ignore_eos);
  EXPECT_FALSE(params.skip_special_tokens);
  EXPECT_THAT(params.logit_bias, ElementsAre(Pair(7, -100.0F), Pair(8, 1.5F)));
  EXPECT_EQ(read(Surface::kRows, R"({"seed": -1})").seed, std::numeric_limits<uint64_t>::max());
  const Json too_large = parse_json(R"({"seed": 18446744073709551616})");
  Fields fields(too_large, Surface::kRows);
  SamplingParams none;
  try {
    read_sampling(fields, Surface::kRows, none);
    ADD_FAILURE();
  } catch (const FieldError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("<= 18446744073709551615, but got 18446744073709551616"));
  }
}

TEST(ReadSampling, TakesEachSurfacesNames) {
  EXPECT_EQ(read(Surface::kChat, R"({"max_tokens": 5})").max_tokens, 5);
  EXPECT_EQ(read(Surface::kChat, R"({"max_completion_tokens": 7, "max_tokens": 5})").max_tokens, 7);
  EXPECT_EQ(read(Surface::kResponses, R"({"max_output_tokens": 5})").max_tokens, 5);
  const SamplingParams message =
      read(Surface::kMessages, R"({"max_tokens": 5, "stop": ["a"], "stop_sequences": ["b", "c"]})");
  EXPECT_THAT(message.stop, ElementsAre("b", "c"));
  EXPECT_THAT(refusal(Surface::kMessages, "{}"), HasSubstr("max_tokens missing_required_parameter"));
  EXPECT_THAT(refusal(Surface::kResponses, R"({"max_tokens": 5})"), HasSubstr("max_tokens unknown_parameter"));
  EXPECT_THAT(refusal(Surface::kMessages, R"({"max_tokens": 5, "n": 2})"), HasSubstr("n unknown_parameter"));
}

TEST(ReadSampling, RangesOfHttpAreOpenAIs) {
  EXPECT_THAT(refusal(Surface::kChat, R"({"temperature": 2.5})"),
              HasSubstr("temperature decimal_above_max_value Invalid 'temperature': decimal above maximum value. "
                        "Expected a value <= 2, but got 2.5 instead."));
  EXPECT_THAT(refusal(Surface::kRows, R"({"temperature": 2.5})"), HasSubstr("<= 2, but got 2.5"));
  EXPECT_THAT(refusal(Surface::kCompletions, R"({"n": 129})"), HasSubstr("n integer_above_max_value"));
  EXPECT_EQ(read(Surface::kRows, R"({"n": 129})").n, 129);
  EXPECT_THAT(refusal(Surface::kChat, R"({"logit_bias": {"7": 101}})"), HasSubstr("logit_bias.7 decimal_above"));
  EXPECT_EQ(read(Surface::kRows, R"({"logit_bias": {"7": 101}})").logit_bias.size(), 1U);
  EXPECT_THAT(refusal(Surface::kChat, R"({"max_tokens": 0})"), HasSubstr("max_tokens integer_below_min_value"));
  EXPECT_EQ(read(Surface::kCompletions, R"({"max_tokens": 0})").max_tokens, 0);
  EXPECT_THAT(refusal(Surface::kChat, R"({"typical_p": 0})"), HasSubstr("Expected a value > 0, but got 0 instead."));
  Json many = {{"stop", std::vector<std::string>(65, "a")}};
  EXPECT_THAT(refusal(Surface::kChat, many.dump()), HasSubstr("stop array_above_max_length"));
  EXPECT_EQ(read(Surface::kRows, many.dump()).stop.size(), 65U);
}

TEST(ReadSampling, KeysOfABiasAreTokenIdsOrRefused) {
  for (const Surface surface : {Surface::kCompletions, Surface::kChat, Surface::kResponses, Surface::kRows}) {
    for (const char* key : {"", "a", "7a", " 7", "+7", "7.0", "2147483648", "99999999999999999999"}) {
      EXPECT_THAT(refusal(surface, Json({{"logit_bias", {{key, 1}}}}).dump()),
                  HasSubstr(std::string("logit_bias invalid_value Invalid key in 'logit_bias': '") + key + "'"));
    }
  }
}

TEST(ReadSampling, ABestOfOtherThanNIsRefused) {
  EXPECT_EQ(refusal(Surface::kCompletions, R"({"n": 2, "best_of": 2})"), "accepted");
  EXPECT_THAT(refusal(Surface::kCompletions, R"({"best_of": 2})"), HasSubstr("best_of unsupported_parameter"));
}

TEST(RefuseUnknown, GoesByTheTable) {
  EXPECT_EQ(refusal(Surface::kChat, R"({"user": 3, "metadata": {}, "functions": null, "modalities": ["text"]})"),
            "accepted");
  EXPECT_THAT(refusal(Surface::kChat, R"({"functions": []})"),
              HasSubstr("functions unsupported_parameter Unsupported parameter: 'functions': use tools."));
  EXPECT_THAT(refusal(Surface::kChat, R"({"modalities": ["text", "audio"]})"), HasSubstr("unsupported_parameter"));
  EXPECT_THAT(refusal(Surface::kChat, R"({"temprature": 1})"), HasSubstr("temprature unknown_parameter"));
  // Known, but nobody has looked at it.
  EXPECT_THAT(refusal(Surface::kChat, R"({"documents": []})"), HasSubstr("documents unknown_parameter"));
}

TEST(DefaultSampling, IsEachSurfacesOwn) {
  EXPECT_EQ(default_sampling(Surface::kCompletions).max_tokens, 16);
  EXPECT_EQ(default_sampling(Surface::kChat).max_tokens, std::numeric_limits<int>::max());
  EXPECT_EQ(default_sampling(Surface::kResponses).max_tokens, std::numeric_limits<int>::max());
  EXPECT_EQ(default_sampling(Surface::kFlags).max_tokens, 256);
  EXPECT_EQ(default_sampling(Surface::kTerminal).max_tokens, std::numeric_limits<int>::max());
}

TEST(DefaultSampling, DrawsAlikeEverywhere) {
  for (const Surface surface : {Surface::kCompletions, Surface::kChat, Surface::kResponses, Surface::kMessages,
                                Surface::kRows, Surface::kFlags, Surface::kTerminal}) {
    const SamplingParams params = default_sampling(surface);
    EXPECT_EQ(params.temperature, 0.8F);
    EXPECT_EQ(params.top_k, 40);
    EXPECT_EQ(params.top_p, 0.95F);
    EXPECT_EQ(params.min_p, 0.05F);
    EXPECT_EQ(params.repetition_penalty, 1.0F);
    EXPECT_EQ(params.repetition_window, 256);
  }
}

TEST(ResolveSampling, TheRequestThenTheDefaultsThenTheFallbackThenTheTable) {
  const GenerationDefaults model{.temperature = 0.6F, .top_k = 20};
  SamplingParams params{.top_k = 5};
  resolve_sampling(params, model, {.max_tokens = 9, .temperature = 1.0F});
  EXPECT_EQ(params.top_k, 5);
  EXPECT_EQ(params.temperature, 0.6F);
  EXPECT_EQ(params.max_tokens, 9);
  EXPECT_EQ(params.top_p, 0.95F);
  EXPECT_EQ(params.n, 1);
  EXPECT_EQ(params.seed, std::nullopt);
  EXPECT_EQ(params.logprobs, std::nullopt);
}

TEST(ResolveSampling, LeavesNothingOpenThatHasADefault) {
  SamplingParams params;
  resolve_sampling(params, {}, {});
  for (const RequestField& field : request_fields()) {
    if (!field.otherwise) continue;
    if (const auto* const integer = std::get_if<std::optional<int> SamplingParams::*>(&field.member)) {
      EXPECT_TRUE((params.**integer).has_value()) << field.name;
    } else if (const auto* const number = std::get_if<std::optional<float> SamplingParams::*>(&field.member)) {
      EXPECT_TRUE((params.**number).has_value()) << field.name;
    }
  }
  EXPECT_EQ(params.max_tokens, 256);
  EXPECT_EQ(params.temperature, 0.8F);
}

TEST(ResolveSampling, WatchesForRepetitionWhereTheRequestBoundsNothing) {
  const auto window = [](SamplingParams params, const GenerationDefaults& defaults) {
    resolve_sampling(params, defaults, default_sampling(Surface::kChat));
    return *params.repetition_window;
  };
  EXPECT_EQ(window({}, {}), 256);
  EXPECT_EQ(window({}, {.max_tokens = 100}), 256);
  EXPECT_EQ(window({}, {.repetition_window = 40}), 40);
  EXPECT_EQ(window({.max_tokens = 100}, {.repetition_window = 40}), 0);
  EXPECT_EQ(window({.ignore_eos = true}, {}), 0);
  EXPECT_EQ(window({.use_beam_search = true}, {}), 0);
  EXPECT_EQ(window({.max_tokens = 100, .repetition_window = 40}, {}), 40);
}

TEST(ResolveSampling, BeamsTakeNoPenaltyOfTheModels) {
  const GenerationDefaults model{.repetition_penalty = 1.2F};
  SamplingParams drawn;
  resolve_sampling(drawn, model, {});
  EXPECT_EQ(drawn.repetition_penalty, 1.2F);
  SamplingParams beams{.use_beam_search = true};
  resolve_sampling(beams, model, {});
  EXPECT_EQ(beams.repetition_penalty, 1.0F);
  SamplingParams asked{.repetition_penalty = 1.3F, .use_beam_search = true};
  resolve_sampling(asked, model, {});
  EXPECT_EQ(asked.repetition_penalty, 1.3F);  // validate_sampling refuses it
}

TEST(ResolveSampling, ATopPOfZeroLeavesTheMostLikely) {
  SamplingParams params{.top_p = 0.0F};
  resolve_sampling(params, {}, {});
  EXPECT_EQ(params.top_p, std::numeric_limits<float>::min());
}

}  // namespace
}  // namespace caravel
