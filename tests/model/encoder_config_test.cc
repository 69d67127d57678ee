#include "model/encoder_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "memory_source.h"
#include "model/arch/architecture.h"

namespace caravel::model {
namespace {

MemorySource bert_source() {
  MemorySource source(format::Convention::kHuggingFace, {{"architectures", {"BertModel"}},
                                                         {"vocab_size", 100},
                                                         {"hidden_size", 64},
                                                         {"intermediate_size", 96},
                                                         {"num_hidden_layers", 2},
                                                         {"num_attention_heads", 4},
                                                         {"max_position_embeddings", 32},
                                                         {"hidden_act", "gelu"}});
  return source;
}

TEST(EncoderConfig, IsReadFromBertsKeys) {
  MemorySource source = bert_source();
  EXPECT_TRUE(names_encoder(source));
  source.modules() = {.given = true, .pooling = "max", .normalizes = true, .max_length = 20};
  const EncoderConfig config = read_encoder_config(source);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.pooling, Pooling::kMax);
  EXPECT_TRUE(config.normalizes);
  EXPECT_EQ(config.max_length, 20);
  EXPECT_EQ(config.norm_epsilon, 1e-12F);
}

TEST(EncoderConfig, WithoutModulesTheMeanIsTakenOfAllPositions) {
  const EncoderConfig config = read_encoder_config(bert_source());
  EXPECT_EQ(config.pooling, Pooling::kMean);
  EXPECT_FALSE(config.normalizes);
  EXPECT_EQ(config.max_length, 32);
}

TEST(EncoderConfig, WhatComputesSomethingElseIsRefusedByName) {
  const auto refused = [](const MemorySource& source) -> std::string {
    try {
      read_encoder_config(source);
    } catch (const Unsupported& error) {
      return error.what();
    }
    return "";
  };
  const auto with = [&](const char* key, const nlohmann::json& value) {
    MemorySource source = bert_source();
    source.config()[key] = value;
    return refused(source);
  };
  EXPECT_THAT(with("position_embedding_type", "relative_key"), testing::HasSubstr("\"relative_key\""));
  EXPECT_THAT(with("is_decoder", true), testing::HasSubstr("is_decoder"));
  EXPECT_THAT(with("hidden_act", "mish"), testing::HasSubstr("\"mish\""));
  MemorySource dense = bert_source();
  dense.modules() = {.given = true, .pooling = "mean", .other = "Dense"};
  EXPECT_THAT(refused(dense), testing::HasSubstr("Dense"));
  MemorySource pooling = bert_source();
  pooling.modules() = {.given = true, .pooling = "mean+cls"};
  EXPECT_THAT(refused(pooling), testing::HasSubstr("mean+cls"));
}

}  // namespace
}  // namespace caravel::model
