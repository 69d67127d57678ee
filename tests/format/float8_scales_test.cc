#include "format/hf/float8_scales.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "expect_error.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using Shape = std::vector<int64_t>;

constexpr const char* kName = "model.layers.0.mlp.up_proj.weight";

WeightInfo tensor(const std::string& name, DType dtype, const Shape& shape) {
  return {.name = name, .dtype = dtype, .shape = shape, .file = "file", .bytes = 1};
}

std::vector<WeightInfo> joined(const Shape& weight, const Shape& scale, const std::string& suffix = "_scale",
                               DType scale_type = DType::kF32, const ScaledParts& said = {}) {
  std::vector<WeightInfo> weights = {tensor(std::string(kName) + suffix, scale_type, scale),
                                     tensor("model.layers.0.mlp.up_proj.input_scale", DType::kF32, {}),
                                     tensor("model.layers.0.mlp.up_proj.activation_scale", DType::kF32, {}),
                                     tensor(kName, DType::kF8E4M3, weight)};
  join_float8_scales(weights, said);
  return weights;
}

TEST(Float8Scales, AreFoundBesideTheWeightWhoeverWroteThem) {
  const std::pair<Shape, DType> shapes[] = {
      {{}, DType::kF8E4M3},       {{1}, DType::kF8E4M3},        {{200}, DType::kF8E4M3},
      {{200, 1}, DType::kF8E4M3}, {{2, 2}, DType::kF8E4M3B128},
  };
  for (const auto& [scale, dtype] : shapes) {
    for (const char* suffix : {"_scale", "_scale_inv"}) {
      const std::vector<WeightInfo> weights = joined({200, 256}, scale, suffix, DType::kBF16);
      ASSERT_EQ(weights.size(), 1U) << "scales are no weights of their own";
      EXPECT_EQ(weights[0].name, kName);
      EXPECT_EQ(weights[0].dtype, dtype);
      EXPECT_EQ(weights[0].bytes, 200U * 256U);
      ASSERT_NE(weights[0].scale, nullptr);
      EXPECT_EQ(weights[0].scale->name, std::string(kName) + suffix);
      EXPECT_EQ(weights[0].scale->dtype, DType::kBF16);
    }
  }
}

// Then a scale is for 128 rows of whole ones, whose length is free.
TEST(Float8Scales, ABlockAsWideAsTheRowsIsAScaleOfRows) {
  EXPECT_EQ(joined({200, 96}, {2, 1})[0].dtype, DType::kF8E4M3);
}

TEST(Float8Scales, OfAnotherShapeAreRefusedWithBoth) {
  expect_error<Unsupported>("up_proj.weight is [200, 256] and its scales are [4, 4]; read are one scale, one for each",
                            [] { joined({200, 256}, {4, 4}); });
  expect_error<Unsupported>("scales are [1, 200]", [] { joined({200, 256}, {1, 200}); });
  expect_error<FormatError>("rows of 200 elements, no multiple of the 128", [] { joined({200, 200}, {2, 2}); });
  expect_error<Unsupported>("8-bit floats are read of matrices alone", [] { joined({256}, {1}); });
}

TEST(Float8Scales, AreForThePartThatTheConfigurationSays) {
  const std::pair<ScaledPart, Shape> parts[] = {
      {ScaledPart::kWhole, {}}, {ScaledPart::kRow, {200, 1}}, {ScaledPart::kBlock, {2, 2}}};
  for (const auto& [said, unused] : parts) {
    for (const auto& [part, shape] : parts) {
      const auto join = [&, of = shape] { joined({200, 256}, of, "_scale", DType::kF32, {said}); };
      if (part == said) {
        EXPECT_NO_THROW(join());
      } else {
        expect_error<FormatError>("by quantization_config each is for a", join);
      }
    }
  }
  expect_error<FormatError>(
      "is [200, 256] and its scales are [200, 1]; by quantization_config each is for a block of "
      "128 x 128: [2, 2]",
      [] { joined({200, 256}, {200, 1}, "_scale", DType::kF32, {ScaledPart::kBlock}); });
  EXPECT_EQ(joined({200, 96}, {2, 1}, "_scale", DType::kF32, {ScaledPart::kBlock})[0].dtype, DType::kF8E4M3);
}

TEST(Float8Scales, AreForAPartThatOneOfTheGroupsHas) {
  const ScaledParts said = {ScaledPart::kRow, ScaledPart::kWhole};
  EXPECT_NO_THROW(joined({200, 256}, {}, "_scale", DType::kF32, said));
  EXPECT_NO_THROW(joined({200, 256}, {200, 1}, "_scale", DType::kF32, said));
  expect_error<FormatError>("each is for a whole weight: [1, 1], or a row: [200, 1]",
                            [&] { joined({200, 256}, {2, 2}, "_scale", DType::kF32, said); });
}

TEST(Float8Scales, AreMissedByName) {
  std::vector<WeightInfo> weights = {tensor(kName, DType::kF8E4M3, {4, 4})};
  expect_error<FormatError>("there is neither a model.layers.0.mlp.up_proj.weight_scale nor a",
                            [&] { join_float8_scales(weights); });
}

// A weight of 16 bits with a scale means something else than the weight alone: it stays there to be refused.
TEST(Float8Scales, OfOtherWeightsStay) {
  std::vector<WeightInfo> weights = {tensor("a.weight", DType::kBF16, {4, 4}),
                                     tensor("a.weight_scale", DType::kF32, {}), tensor(kName, DType::kF8E4M3, {4, 4}),
                                     tensor(std::string(kName) + "_scale", DType::kF32, {})};
  join_float8_scales(weights);
  ASSERT_EQ(weights.size(), 3U);
  EXPECT_EQ(weights.back().name, "a.weight_scale");
  std::vector<WeightInfo> none = {tensor("a.weight", DType::kBF16, {4, 4}), tensor("a.k_scale", DType::kF32, {})};
  join_float8_scales(none);
  EXPECT_EQ(none.size(), 2U);
}

ScaledParts check(const char* quantization) {
  return check_quantization({{"quantization_config", json::parse(quantization)}}, "config.json");
}

TEST(CheckQuantization, TakesEightBitFloats) {
  EXPECT_NO_THROW(check_quantization(json::object(), "config.json"));
  EXPECT_NO_THROW(check("null"));
  EXPECT_NO_THROW(check(R"({"quant_method":"fp8","activation_scheme":"static"})"));
  EXPECT_NO_THROW(check(R"({"quant_method":"fp8","fmt":"e4m3","weight_block_size":[128,128]})"));
  EXPECT_NO_THROW(check(R"({"quant_method":"fbgemm_fp8","activation_scale_ub":1200.0})"));
  EXPECT_NO_THROW(check(R"({"quant_method":"modelopt","quant_algo":"FP8"})"));
  EXPECT_NO_THROW(check(R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":)"
                        R"({"num_bits":8,"type":"float","strategy":"block","block_structure":[128,128]},)"
                        R"("input_activations":{"num_bits":8,"type":"float","strategy":"token"}}}})"));
}

TEST(CheckQuantization, SaysWhatScalesAreFor) {
  EXPECT_EQ(check(R"({"quant_method":"fp8","weight_block_size":[128,128]})"), ScaledParts{ScaledPart::kBlock});
  EXPECT_EQ(check(R"({"quant_method":"fp8","weight_block_size":null})"), ScaledParts{});
  const auto of_groups = [](const std::string& first, const std::string& second) {
    const auto group = [](const std::string& strategy) {
      return R"({"weights":{"num_bits":8,"type":"float","strategy":")" + strategy + R"("}})";
    };
    return check((R"({"quant_method":"compressed-tensors","config_groups":{"a":)" + group(first) + R"(,"b":)" +
                  group(second) + "}}")
                     .c_str());
  };
  EXPECT_EQ(of_groups("tensor", "tensor"), ScaledParts{ScaledPart::kWhole});
  EXPECT_EQ(of_groups("channel", "channel"), ScaledParts{ScaledPart::kRow});
  EXPECT_EQ(of_groups("channel", "tensor"), (ScaledParts{ScaledPart::kWhole, ScaledPart::kRow}));
  EXPECT_EQ(of_groups("channel", ""), ScaledParts{});
  expect_error<FormatError>("config_groups is not an object",
                            [] { check(R"({"quant_method":"compressed-tensors","config_groups":3})"); });
}

TEST(CheckQuantization, RefusesTheRestByName) {
  const std::pair<const char*, const char*> refused[] = {
      {R"({"quant_method":"gptq","bits":4})", "quantised by gptq, which Caravel does not read"},
      {R"({"quant_method":"awq"})", "by awq"},
      {R"({"bits":4})", "by an unnamed method"},
      {R"({"quant_method":"fp8","fmt":"e5m2"})", "by fp8 of format e5m2"},
      {R"({"quant_method":"fp8","weight_block_size":[64,64]})", "weight_block_size is [64,64]"},
      {R"({"quant_method":"modelopt","quant_algo":"NVFP4"})", "by modelopt's NVFP4"},
      {R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":)"
       R"({"num_bits":4,"type":"int","strategy":"group"}}}})",
       "by compressed-tensors to 4 bits of type int, a scale by group"},
      {R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":)"
       R"({"num_bits":8,"type":"int","strategy":"channel"}}}})",
       "8 bits of type int"}};
  for (const auto& [config, message] : refused) {
    expect_error<Unsupported>(message, [&, text = config] { check(text); });
  }
  expect_error<FormatError>("quantization_config is not an object", [] { check("3"); });
}

}  // namespace
}  // namespace caravel::format
