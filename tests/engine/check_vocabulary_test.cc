// Embeddings of more or fewer rows than the tokenizer has tokens.

#include "engine/check_vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

using nlohmann::json;

/// The llama fixture's config.json and tokenizer (320 tokens), for dummy weights of `rows`.
EngineConfig config_of(int rows, const json& added = json::array()) {
  const std::filesystem::path folder = tests::temporary_path("vocabulary");
  std::filesystem::create_directories(folder);
  const auto edit = [&](const char* name, const auto& change) {
    json content;
    std::ifstream(fixture("llama") + "/" + name) >> content;
    change(content);
    std::ofstream(folder / name) << content;
  };
  edit("config.json", [&](json& content) { content["vocab_size"] = rows; });
  edit("tokenizer.json", [&](json& content) {
    for (const json& token : added) content["added_tokens"].push_back(token);
  });
  EngineConfig config = small_config();
  config.model = folder;
  config.load_format = LoadFormat::kDummy;
  return config;
}

TEST(CheckVocabulary, RowsBehindTheLastTokenAreNoText) {
  TestEngine engine(config_of(400));
  Request request = token_request({350, 3, 399}, {.max_tokens = 4});
  request.sampling.allowed_token_ids = {360, 380};
  const Result& result = engine.submit(std::move(request))->result();
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.completions[0].token_ids.size(), 4U);
  EXPECT_EQ(result.completions[0].text, "");
  EXPECT_EQ(engine.tokenizer().vocab_size(), 400);
  EXPECT_EQ(engine.tokenizer().find(""), std::nullopt);
}

TEST(CheckVocabulary, ATokenOfTheModelsOwnWithoutARowIsRefused) {
  try {
    describe_model(config_of(318));
    ADD_FAILURE() << "accepted";
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the embedding has 318 rows (vocab_size), and the tokenizer's"));
    EXPECT_THAT(error.what(), testing::HasSubstr("is token 318"));
  }
}

/// As the <image_soft_token> of Gemma 3's models without images.
TEST(CheckVocabulary, AnAddedTokenWithoutARowIsRefusedWhereItIsUsed) {
  const json image = {{"id", 320}, {"content", "<image>"}, {"special", true}};
  TestEngine engine(config_of(320, json::array({image})));
  const auto told = [&](const Decision& decision) {
    return decision.what == "tokens without a row" && decision.value == "1, from 320 on";
  };
  EXPECT_TRUE(std::ranges::any_of(engine.model().decisions, told));
  EXPECT_NO_THROW(engine.submit(token_request({1, 2}, {.max_tokens = 1}))->result());
  EXPECT_THROW(engine.submit(token_request({1, 320}, {.max_tokens = 1})), InvalidArgument);
}

}  // namespace
}  // namespace caravel::engine
