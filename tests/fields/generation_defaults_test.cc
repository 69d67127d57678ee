#include "fields/generation_defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "fields/fields.h"

namespace caravel {
namespace {

using ::testing::HasSubstr;

GenerationDefaults parse(const std::string& text) { return parse_generation_defaults(parse_json(text)); }

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const FieldError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(GenerationDefaults, AreReadByBothNames) {
  const GenerationDefaults defaults = parse(
      R"({"temperature": 0.6, "top_k": 20, "top_p": 0.9, "min_p": 0.1, "repetition_penalty": 1.1,
          "max_new_tokens": 300, "repetition_window": 64})");
  EXPECT_EQ(defaults.temperature, 0.6F);
  EXPECT_EQ(defaults.top_k, 20);
  EXPECT_EQ(defaults.top_p, 0.9F);
  EXPECT_EQ(defaults.min_p, 0.1F);
  EXPECT_EQ(defaults.repetition_penalty, 1.1F);
  EXPECT_EQ(defaults.max_tokens, 300);
  EXPECT_EQ(defaults.repetition_window, 64);
  EXPECT_EQ(parse(R"({"max_tokens": 7})").max_tokens, 7);
  EXPECT_EQ(parse(R"({"temperature": null})").temperature, std::nullopt);
}

TEST(GenerationDefaults, NoSamplingIsGreedyWhateverTheTemperature) {
  EXPECT_EQ(parse(R"({"do_sample": false, "temperature": 0.6})").temperature, 0.0F);
  EXPECT_EQ(parse(R"({"temperature": 0.6, "do_sample": true})").temperature, 0.6F);
}

TEST(GenerationDefaults, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal(R"({"temprature": 1})"), HasSubstr("'temprature'. There are max_tokens, temperature"));
  EXPECT_THAT(refusal(R"({"top_p": 2})"), HasSubstr("'top_p': decimal above maximum value"));
  EXPECT_THAT(refusal(R"({"top_k": "5"})"), HasSubstr("'top_k': expected an integer"));
}

TEST(GenerationDefaults, TheFirstToSayItCounts) {
  const GenerationDefaults both =
      first_said({.temperature = 0.1F}, {.end_of_generation_ids = {2}, .temperature = 0.9F, .top_k = 3});
  EXPECT_EQ(both.temperature, 0.1F);
  EXPECT_EQ(both.top_k, 3);
  EXPECT_EQ(both.end_of_generation_ids, std::vector<int32_t>{2});
  EXPECT_EQ(first_said({.end_of_generation_ids = {1}}, both).end_of_generation_ids, std::vector<int32_t>{1});
}

TEST(GenerationDefaults, AreShownAsARequestGetsThem) {
  std::map<std::string_view, double> values;
  for (const auto& [field, value] : default_parameters({.temperature = 0.2F}, Surface::kChat)) {
    EXPECT_TRUE(values.emplace(field->name, value).second) << field->name;
  }
  EXPECT_EQ(values.at("temperature"), 0.2);  // not the float's 0.20000000298
  EXPECT_EQ(values.at("top_k"), 40);
  EXPECT_EQ(values.at("max_tokens"), std::numeric_limits<int>::max());
  EXPECT_EQ(values.size(), 7U);
}

}  // namespace
}  // namespace caravel
