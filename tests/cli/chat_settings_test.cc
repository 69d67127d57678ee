#include "cli/chat_settings.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "fields/sampling.h"

namespace caravel::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string error_of(const std::string& assignment) {
  SamplingParams params;
  try {
    set_chat_parameter(params, assignment);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(ChatSettings, EachKindOfParameterIsReadAsAPersonWritesIt) {
  SamplingParams params;
  EXPECT_EQ("temperature is 0.2", set_chat_parameter(params, "temperature 0.2"));
  EXPECT_EQ("temperature is 0.2", set_chat_parameter(params, "parameter temperature 0.2"));  // as Ollama has it
  set_chat_parameter(params, "top-p=0.9");
  set_chat_parameter(params, "--max-tokens 12");
  set_chat_parameter(params, "seed = 18446744073709551615");
  set_chat_parameter(params, "stop END OF IT");
  set_chat_parameter(params, "bad_words 3");
  set_chat_parameter(params, "stop_token_ids 1,2");
  set_chat_parameter(params, R"(logit_bias {"7": -1})");
  set_chat_parameter(params, "ignore_eos true");
  EXPECT_EQ("keep_special_tokens is true", set_chat_parameter(params, "keep_special_tokens true"));
  EXPECT_FLOAT_EQ(0.2F, *params.temperature);
  EXPECT_FLOAT_EQ(0.9F, *params.top_p);
  EXPECT_EQ(12, params.max_tokens);
  EXPECT_EQ(std::numeric_limits<uint64_t>::max(), params.seed);
  EXPECT_THAT(params.stop, ElementsAre("END OF IT"));
  EXPECT_THAT(params.bad_words, ElementsAre("3"));
  EXPECT_THAT(params.stop_token_ids, ElementsAre(1, 2));
  EXPECT_THAT(params.logit_bias, ElementsAre(std::pair<int32_t, float>(7, -1)));
  EXPECT_TRUE(params.ignore_eos);
  EXPECT_FALSE(params.skip_special_tokens);
  set_chat_parameter(params, R"(stop ["a", "b"])");
  EXPECT_THAT(params.stop, ElementsAre("a", "b"));
}

TEST(ChatSettings, OneOfThemIsShownInPlainWords) {
  const GenerationDefaults model{.temperature = 0.6F};
  SamplingParams resolved;
  resolve_sampling(resolved, model, default_sampling(Surface::kTerminal));
  EXPECT_EQ("temperature is 0.6, the model's. It takes a number, 0 to 2. 0: greedy",
            chat_setting_text({}, resolved, model, "temperature"));
  resolved.temperature = 1.0F;
  EXPECT_THAT(chat_setting_text({.temperature = 1.0F}, resolved, model, "temperature"),
              HasSubstr("is 1, as it was set. "));
  EXPECT_THAT(chat_setting_text({}, resolved, model, "seed"), HasSubstr("seed is not set. It takes a whole number. "));
}

TEST(ChatSettings, DefaultTakesBackWhatWasSet) {
  SamplingParams params;
  for (const char* assignment : {"temperature 0.2", "stop x", "ignore_eos true", "seed 7"}) {
    set_chat_parameter(params, assignment);
  }
  for (const char* assignment : {"temperature default", "stop default", "ignore_eos default", "seed null"}) {
    set_chat_parameter(params, assignment);
  }
  EXPECT_FALSE(params.temperature || params.seed || params.ignore_eos || !params.stop.empty());
}

TEST(ChatSettings, WhatCannotBeIsRefusedByNameAndChangesNothing) {
  EXPECT_THAT(error_of("temprature 0.2"), HasSubstr("'temprature'; the nearest is 'temperature'"));
  EXPECT_EQ("'temperature' cannot be 'hot': give a number, 0 to 2, or default", error_of("temperature hot"));
  EXPECT_EQ("'temperature' cannot be '3': give a number, 0 to 2, or default", error_of("temperature 3"));
  EXPECT_EQ("'typical_p' cannot be '0': give a number, more than 0, at most 1, or default", error_of("typical_p 0"));
  EXPECT_EQ("'max_tokens' cannot be '1.5': give a whole number, 0 or more, or default", error_of("max_tokens 1.5"));
  EXPECT_EQ("'ignore_eos' cannot be 'maybe': give true or false, or default", error_of("ignore_eos maybe"));
  EXPECT_THAT(error_of("num_ctx 512"), HasSubstr("--max-model-len"));
  EXPECT_EQ("'num_predict' is max_tokens here", error_of("num_predict 5"));
  EXPECT_THAT(error_of("temperature"), HasSubstr("/set temperature what?"));
  EXPECT_THAT(error_of("n 2"), HasSubstr("one answer"));
  EXPECT_THAT(error_of("json_schema {}"), HasSubstr("no parameter"));
  SamplingParams params{.temperature = 0.5F};
  EXPECT_THROW(set_chat_parameter(params, "temperature -1"), InvalidArgument);
  EXPECT_FLOAT_EQ(0.5F, *params.temperature);
}

TEST(ChatSettings, TheListSaysWhatHoldsAndWhoSaidIt) {
  const SamplingParams params{.top_k = 40};
  const GenerationDefaults model{.temperature = 0.6F};
  SamplingParams resolved = params;
  resolve_sampling(resolved, model, default_sampling(Surface::kTerminal));
  const std::string text = chat_settings_text(params, resolved, model);
  EXPECT_THAT(text, testing::ContainsRegex("top_k +40 +set\n"));
  EXPECT_THAT(text, testing::ContainsRegex("temperature +0.6 +the model's\n"));
  EXPECT_THAT(text, testing::ContainsRegex("typical_p +1 +\n"));
  EXPECT_THAT(text, Not(HasSubstr("beams")));
  EXPECT_THAT(chat_setting_names(), Contains("xtc_probability"));
}

}  // namespace
}  // namespace caravel::cli
