#include "voyager/engine_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/interrupt.h"
#include "fields/json.h"
#include "fixtures.h"

namespace caravel::voyager {
namespace {

using testing::HasSubstr;

std::unique_ptr<Engine> open(const std::string& model) {
  return Engine::open({.model = tests::model_fixture(model),
                       .threads = 1,
                       .kv_cache_memory = 8 << 20,
                       .seed = 1,
                       .chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"});
}

ModelRequest request(std::string content, std::string schema = "") {
  return {.role = Role::kPropose,
          .messages = {{.role = "user", .content = std::move(content)}},
          .schema = std::move(schema)};
}

EngineModelConfig greedy(int max_tokens) {
  return {.sampling = {.max_tokens = max_tokens, .temperature = 0.0F}, .prices = {.input = 1, .output = 1}};
}

TEST(EngineModel, AnswersAndCounts) {
  const auto engine = open("llama");
  const auto model = make_engine_model(*engine, greedy(12));
  EXPECT_EQ(model->context_tokens(), engine->model().max_model_len);
  EXPECT_FALSE(model->name().empty());
  std::string shown;
  const ModelAnswer answer = model->answer(request("Hello"), [&](std::string_view piece) { shown += piece; });
  EXPECT_EQ(answer.text, shown);
  EXPECT_TRUE(answer.is_cut);
  EXPECT_TRUE(answer.counted);
  EXPECT_EQ(answer.completion_tokens, 12);
  EXPECT_GT(answer.prompt_tokens, 4);
  EXPECT_DOUBLE_EQ(answer.cost, static_cast<double>(answer.prompt_tokens + 12) / 1e6);
  EXPECT_EQ(model->answer(request("Hello"), {}).text, answer.text);
}

TEST(EngineModel, HoldsAnswersToTheirSchema) {
  const auto engine = open("llama");
  const auto model = make_engine_model(*engine, greedy(100));
  const ModelAnswer answer = model->answer(
      request("Hello", R"({"type":"object","properties":{"success":{"type":"boolean"}},"required":["success"],
                           "additionalProperties":false})"),
      {});
  EXPECT_FALSE(answer.is_cut);
  EXPECT_TRUE(parse_json(answer.text).at("success").is_boolean());
}

TEST(EngineModel, SaysThatAPromptIsTooLong) {
  const auto engine = open("llama");
  const auto model = make_engine_model(*engine, greedy(4));
  try {
    model->answer(request(std::string(4000, 'x')), {});
    ADD_FAILURE();
  } catch (const ModelError& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(engine->model().max_model_len)));
  }
  EXPECT_EQ(model->answer(request("Hello"), {}).completion_tokens, 4);
}

TEST(EngineModel, EndsAtOnceWhenInterrupted) {
  const auto engine = open("llama");
  const auto model = make_engine_model(*engine, greedy(200));
  std::atomic<bool> gone = false;
  const InterruptScope scope(gone, /*gives_way=*/false);
  EXPECT_THROW(model->answer(request("Hello"), [&](std::string_view) { gone = true; }), Interrupted);
}

TEST(EngineEmbedder, EmbedsTextsOfAnyLength) {
  for (const char* const name : {"bert", "llama"}) {
    const auto engine = open(name);
    const auto embedder = make_engine_embedder(*engine);
    const std::vector<float> wood = embedder->embed("Mines a wood log");
    EXPECT_EQ(wood.size(), static_cast<size_t>(engine->model().hidden_size)) << name;
    EXPECT_EQ(embedder->embed("Mines a wood log"), wood) << name;
    EXPECT_NE(embedder->embed("Crafts a table"), wood) << name;
    EXPECT_EQ(embedder->embed(std::string(5000, 'x')).size(), wood.size()) << name;
    EXPECT_EQ(embedder->embed("").size(), wood.size()) << name;
  }
}

}  // namespace
}  // namespace caravel::voyager
