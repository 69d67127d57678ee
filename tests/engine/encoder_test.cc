#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/float_vector.h"
#include "caravel/engine.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

EngineConfig encoder_config(const std::string& model, Quantization quantization = Quantization::kNone) {
  return {.model = fixture(model), .threads = 2, .max_model_len = 48, .quantization = quantization};
}

nlohmann::json golden_of(const std::string& model) {
  std::ifstream file(fixture(model) + "/golden.json");
  return nlohmann::json::parse(file);
}

std::vector<float> vector_of(Engine& engine, std::vector<int32_t> tokens) {
  const Result result = engine.embed({.tokens = std::move(tokens)})->result();
  EXPECT_EQ(result.error, "");
  return result.embedding;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const std::vector<float> x = unit_vector(a);
  const std::vector<float> y = unit_vector(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
  return sum;
}

TEST(Encoder, EqualsTransformersPooledAsTheFilesSay) {
  for (const std::string model : {"bert", "bert_cls"}) {
    const auto engine = open_encoder(encoder_config(model));
    for (const auto& golden : golden_of(model)) {
      EXPECT_EQ(engine->tokenizer().encode(golden["text"].get<std::string>()),
                golden["tokens"].get<std::vector<int32_t>>());
      const auto expected = golden["vector"].get<std::vector<float>>();
      const std::vector<float> found = vector_of(*engine, golden["tokens"]);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << model << golden["text"];
    }
  }
}

TEST(Encoder, QuantizedAtLoadItIsNearlyTheSame) {
  for (const std::string model : {"bert", "bert_cls"}) {
    const auto engine = open_encoder(encoder_config(model, Quantization::kQ8_0));
    EXPECT_LT(engine->model().weight_bytes, describe_model(encoder_config(model)).weight_bytes / 2);
    for (const auto& golden : golden_of(model)) {
      EXPECT_GT(cosine(vector_of(*engine, golden["tokens"]), golden["vector"]), 0.999) << model << golden["text"];
    }
  }
}

TEST(Encoder, ATextIsTheSameBesideOthersToTheBit) {
  for (const Quantization quantization : {Quantization::kNone, Quantization::kQ8_0}) {
    EngineConfig config = encoder_config("bert", quantization);
    const auto alone = open_encoder(config);
    config.threads = 1;
    config.max_num_batched_tokens = 100;
    const auto packed = open_encoder(config);
    std::vector<std::vector<int32_t>> texts;
    for (size_t i = 1; i <= 48; ++i) texts.push_back(random_tokens(i, static_cast<uint32_t>(i), 400));
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (const auto& text : texts) handles.push_back(packed->embed({.tokens = text}));
    for (size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(handles[i]->result().embedding, vector_of(*alone, texts[i])) << texts[i].size() << " tokens";
    }
    packed->monitor().check_integrity();
    const Stats stats = packed->stats();
    EXPECT_EQ(stats.finished_requests, 48);
    EXPECT_EQ(stats.prompt_tokens, 48 * 49 / 2);
    EXPECT_EQ(stats.waiting_requests + stats.running_requests, 0);
    EXPECT_EQ(packed->monitor().report(0).steps.size(), static_cast<size_t>(stats.steps));
    // Whether several are in a step rests on who is faster: now and then each is done before the next one comes.
    const auto one_each = [&] { return packed->stats().steps == packed->stats().finished_requests; };
    for (int round = 0; round < 100 && one_each(); ++round) {
      handles.clear();
      for (const auto& text : texts) handles.push_back(packed->embed({.tokens = text}));
      for (const auto& handle : handles) EXPECT_EQ(handle->result().error, "");
    }
    EXPECT_FALSE(one_each()) << "several to a step";
  }
}

TEST(Encoder, DoesNothingElse) {
  const auto engine = open_encoder(encoder_config("bert"));
  EXPECT_THROW(engine->submit({.prompt = "hello"}), InvalidArgument);
  EXPECT_THROW(engine->chat({}), InvalidArgument);
  EXPECT_THROW(engine->score(score_request({2}, {{3}})), InvalidArgument);
}

TEST(Encoder, RefusesTextsThatItCannotTake) {
  EngineConfig config = encoder_config("bert");
  config.max_model_len = 0;
  const auto engine = open_encoder(config);
  EXPECT_EQ(engine->model().max_model_len, 24) << "as sentence_bert_config.json says";
  EXPECT_THROW(engine->embed({}), InvalidArgument);
  EXPECT_THROW(engine->embed({.tokens = {400}}), InvalidArgument);
  EXPECT_THROW(engine->embed({.tokens = random_tokens(25, 1, 400)}), InvalidArgument);
  config.max_model_len = 49;
  EXPECT_THROW(Engine::open(config), InvalidArgument) << "more positions than were learned";
}

TEST(Encoder, CancelledWhileItWaitsItIsToldSo) {
  const auto engine = open_encoder(encoder_config("bert"));
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (int i = 0; i < 200; ++i) handles.push_back(engine->embed({.tokens = random_tokens(48, 1, 400)}));
  handles.back()->cancel();
  const std::string error = handles.back()->result().error;
  EXPECT_TRUE(error.empty() || error == kCancelledError) << error;
  engine->monitor().check_integrity();
  const Stats stats = engine->stats();
  EXPECT_EQ(stats.finished_requests + stats.cancelled_requests, 200);
}

TEST(Encoder, IsDescribedWithoutItsWeights) {
  EngineConfig config = encoder_config("bert");
  config.max_num_batched_tokens = 300;  // the tests' device may have other steps than the CPU that is described
  const ModelInfo described = describe_model(config);
  EXPECT_EQ(described.pooling, "mean");
  EXPECT_TRUE(described.normalizes);
  EXPECT_EQ(described.kv_blocks, 0);
  EXPECT_TRUE(described.memory.fits());
  const auto engine = open_encoder(config);
  EXPECT_EQ(engine->model().weight_bytes, described.weight_bytes);
  EXPECT_EQ(engine->model().activation_bytes, described.activation_bytes);
  EXPECT_EQ(describe_model(encoder_config("bert_cls")).pooling, "cls");
  EXPECT_FALSE(describe_model(encoder_config("bert_cls")).normalizes);
  EXPECT_FALSE(is_encoder(describe_model(small_config())));
}

}  // namespace
}  // namespace caravel::engine
