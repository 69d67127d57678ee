// What the configuration says in place of a model's files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

Result answer(const EngineConfig& config) {
  TestEngine engine(config);
  return run(engine, token_request(random_tokens(100, 3), {.max_tokens = 20, .logprobs = 1}));
}

Decision decision(const EngineConfig& config, const std::string& what) {
  const ModelInfo info = TestEngine(config).model();
  for (const Decision& decision : info.decisions) {
    if (decision.what == what) return decision;
  }
  return {};
}

TEST(Overrides, AnswersFollowAGivenRotaryScaling) {
  EngineConfig config = small_config("llama_yarn");
  const Result own = answer(config);
  config.rope_scaling = R"({"rope_type":"yarn","factor":4.0,"beta_fast":4.0,"original_max_position_embeddings":64})";
  expect_same(answer(config), own, "its own scaling, given");
  config.rope_scaling = "none";
  EXPECT_NE(answer(config).completions.at(0).cumulative_logprob, own.completions.at(0).cumulative_logprob);
  EXPECT_EQ(decision(config, "rotary scaling").value, "none");
  EXPECT_EQ(decision(config, "rotary scaling").why, "given");

  config.rope_scaling = R"({"rope_type":"linear","factor":4})";
  config.max_model_len = 1000;  // of 256
  EXPECT_EQ(TestEngine(config).model().max_model_len, 1000);
}

TEST(Overrides, PlainPromptsFollowAddBosToken) {
  for (const char* model : {"llama", "llama.gguf", "llama3.gguf"}) {
    EngineConfig config = small_config(model);
    const auto bos_of = [&](AddBos add) {
      config.add_bos_token = add;
      TestEngine engine(config);
      const Result result = run(engine, {.prompt = "hi", .sampling = greedy({.max_tokens = 1})});
      const std::vector<int32_t> ids = engine.tokenizer().encode("hi");
      EXPECT_EQ(result.usage.prompt_tokens, static_cast<int>(ids.size())) << model;
      EXPECT_EQ(ids, open_tokenizer(config)->encode("hi")) << model;
      EXPECT_EQ(ids.front() == engine.tokenizer().bos_id(), engine.tokenizer().adds_bos()) << model;
      return engine.tokenizer().adds_bos();
    };
    EXPECT_EQ(bos_of(AddBos::kAuto), std::string(model) == "llama3.gguf");
    EXPECT_TRUE(bos_of(AddBos::kYes)) << model;
    EXPECT_FALSE(bos_of(AddBos::kNo)) << model;
    EXPECT_EQ(decision(config, "beginning of sequence").why, "given");
    EXPECT_THAT(decision(config, "beginning of sequence").value, testing::HasSubstr("not put before"));
  }
}

TEST(Overrides, ChatPromptsOfGgufFilesFollowAddBosToken) {
  for (const auto& [model, add, wanted] :
       {std::tuple("llama.gguf", AddBos::kYes, true), std::tuple("llama3.gguf", AddBos::kNo, false),
        std::tuple("llama", AddBos::kYes, false)}) {
    EngineConfig config = small_config(model);
    config.add_bos_token = add;
    const auto tokenizer = open_tokenizer(config);
    EXPECT_EQ(tokenizer->encode_chat("hi").front() == tokenizer->bos_id(), wanted) << model;
  }
}

}  // namespace
}  // namespace caravel::engine
