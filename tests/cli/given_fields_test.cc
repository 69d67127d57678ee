#include "cli/given_fields.h"

#include <gtest/gtest.h>

namespace caravel::cli {
namespace {

std::string with_flags(const char* body, const SamplingParams& given, Surface surface) {
  Json json = parse_json(body);
  add_given_fields(json, given, surface);
  return to_text(json);
}

TEST(GivenFields, AreAddedUnderTheSurfacesNames) {
  SamplingParams given;
  given.max_tokens = 5;
  given.temperature = 0.5F;
  given.stop = {"x"};
  given.logit_bias = {{7, 1.5F}};
  EXPECT_EQ(with_flags("{}", given, Surface::kChat),
            R"({"max_tokens":5,"temperature":0.5,"logit_bias":{"7":1.5},"stop":["x"]})");
  EXPECT_EQ(with_flags("{}", given, Surface::kResponses),
            R"({"max_output_tokens":5,"temperature":0.5,"logit_bias":{"7":1.5},"stop":["x"]})");
  EXPECT_EQ(with_flags("{}", given, Surface::kEmbeddings), "{}");
  EXPECT_EQ(with_flags("{}", {}, Surface::kChat), "{}");
}

TEST(GivenFields, GiveWayToTheBodys) {
  SamplingParams given;
  given.max_tokens = 5;
  given.temperature = 0.5F;
  EXPECT_EQ(with_flags(R"({"max_completion_tokens":9,"temperature":null})", given, Surface::kChat),
            R"({"max_completion_tokens":9,"temperature":0.5})");
}

TEST(GivenFields, SayWhatTheAnswerMustLookLike) {
  SamplingParams given;
  given.grammar = {.kind = GrammarSpec::Kind::kChoice, .choices = {"a", "b"}};
  EXPECT_EQ(with_flags("{}", given, Surface::kChat), R"({"structured_outputs":{"choice":["a","b"]}})");
  for (const char* own : {R"({"response_format":{"type":"text"}})", R"({"guided_regex":"a"})"}) {
    EXPECT_EQ(with_flags(own, given, Surface::kChat), own);
  }
  given.grammar = {.kind = GrammarSpec::Kind::kJsonObject};
  EXPECT_EQ(with_flags("{}", given, Surface::kRows), R"({"structured_outputs":{"json_object":true}})");
}

TEST(GivenFields, LogprobsAreANumberOrAFlagAndANumber) {
  SamplingParams given;
  given.logprobs = 2;
  EXPECT_EQ(with_flags("{}", given, Surface::kCompletions), R"({"logprobs":2})");
  EXPECT_EQ(with_flags("{}", given, Surface::kChat), R"({"logprobs":true,"top_logprobs":2})");
  EXPECT_EQ(with_flags(R"({"logprobs":false})", given, Surface::kRows), R"({"logprobs":false})");
}

}  // namespace
}  // namespace caravel::cli
