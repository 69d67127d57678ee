#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"
#include "fields/sampling.h"

namespace caravel {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void(SamplingParams&)>& change) {
  SamplingParams params;
  resolve_sampling(params, {}, {});
  change(params);
  try {
    validate_sampling(params, 100);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ValidateSampling, TakesTheDefaultsAndEveryEdge) {
  EXPECT_EQ(refusal([](auto&) {}), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.max_tokens = 0; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.min_tokens = p.max_tokens; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.top_k = -1; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.top_k = 1'000'000; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.min_p = 1; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.presence_penalty = -2; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.logit_bias = {{99, -100.0F}, {0, -INFINITY}}; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.logprobs = 0; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) {
              p.use_beam_search = true;
              p.n = 3;
              p.beam_width = 3;
            }),
            "accepted");
}

TEST(ValidateSampling, SaysNameValueAndRange) {
  EXPECT_EQ(refusal([](auto& p) { p.top_p = 1.5F; }), "top_p is 1.5; it must be in [0, 1]");
  EXPECT_EQ(refusal([](auto& p) { p.typical_p = 1.5F; }), "typical_p is 1.5; it must be in (0, 1]");
  EXPECT_EQ(refusal([](auto& p) { p.min_tokens = 300; }),
            "min_tokens is 300; it must be at most max_tokens, which is 256");
  EXPECT_THAT(refusal([](auto& p) { p.max_tokens = -1; }), HasSubstr("max_tokens is -1"));
  EXPECT_THAT(refusal([](auto& p) { p.temperature = -0.5F; }), HasSubstr("temperature is -0.5"));
  EXPECT_THAT(refusal([](auto& p) { p.temperature = NAN; }), HasSubstr("temperature is nan"));
  EXPECT_THAT(refusal([](auto& p) { p.temperature = INFINITY; }), HasSubstr("temperature is inf"));
  EXPECT_THAT(refusal([](auto& p) { p.top_k = -2; }), HasSubstr("top_k is -2"));
  EXPECT_THAT(refusal([](auto& p) { p.top_p = -0.5F; }), HasSubstr("top_p is -0.5"));
  EXPECT_THAT(refusal([](auto& p) { p.min_p = -0.1F; }), HasSubstr("min_p is -0.1"));
  EXPECT_THAT(refusal([](auto& p) { p.typical_p = 0; }), HasSubstr("typical_p is 0"));
  EXPECT_THAT(refusal([](auto& p) { p.repetition_penalty = 0; }), HasSubstr("repetition_penalty is 0"));
  EXPECT_THAT(refusal([](auto& p) { p.presence_penalty = 2.5F; }), HasSubstr("presence_penalty is 2.5"));
  EXPECT_THAT(refusal([](auto& p) { p.frequency_penalty = -2.5F; }), HasSubstr("frequency_penalty is -2.5"));
  EXPECT_THAT(refusal([](auto& p) { p.logit_bias = {{100, 1.0F}}; }),
              HasSubstr("token id 100; the vocabulary has ids 0 to 99"));
  EXPECT_THAT(refusal([](auto& p) { p.logit_bias = {{1, NAN}}; }), HasSubstr("logit_bias is nan"));
  EXPECT_THAT(refusal([](auto& p) { p.allowed_token_ids = {-1}; }), HasSubstr("allowed_token_ids has token id -1"));
  EXPECT_THAT(refusal([](auto& p) { p.stop_token_ids = {100}; }), HasSubstr("stop_token_ids has token id 100"));
  EXPECT_THAT(refusal([](auto& p) { p.stop = {""}; }), HasSubstr("stop has an empty text"));
  EXPECT_THAT(refusal([](auto& p) { p.bad_words = {"a", ""}; }), HasSubstr("bad_words has an empty text"));
  EXPECT_THAT(refusal([](auto& p) { p.n = 0; }), HasSubstr("n is 0"));
  EXPECT_THAT(refusal([](auto& p) { p.logprobs = 129; }), HasSubstr("logprobs is 129; it must be 0 to 128"));
  EXPECT_THAT(refusal([](auto& p) { p.prompt_logprobs = -1; }), HasSubstr("prompt_logprobs is -1"));
}

TEST(ValidateSampling, SaysWhatContradicts) {
  EXPECT_THAT(refusal([](auto& p) { p.beam_width = 4; }), HasSubstr("use_beam_search is off"));
  EXPECT_THAT(refusal([](auto& p) {
                p.use_beam_search = true;
                p.n = 4;
                p.beam_width = 2;
              }),
              HasSubstr("at least n, which is 4"));
  EXPECT_THAT(refusal([](auto& p) {
                p.use_beam_search = true;
                p.beam_width = 33;
              }),
              HasSubstr("beam_width is 33"));
  EXPECT_THAT(refusal([](auto& p) {
                p.use_beam_search = true;
                p.logit_bias = {{1, 1.0F}};
              }),
              HasSubstr("logit_bias cannot be used"));
  EXPECT_THAT(refusal([](auto& p) {
                p.use_beam_search = true;
                p.stop = {"end"};
              }),
              HasSubstr("stop cannot be used"));
}

}  // namespace
}  // namespace caravel
