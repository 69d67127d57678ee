#include <gmock/gmock.h>

#include <bit>
#include <cmath>

#include "server/harness.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

std::vector<float> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8));
  }
  std::vector<float> values;
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    uint32_t word = 0;
    for (size_t j = 0; j < 4; ++j) word |= uint32_t{static_cast<uint8_t>(bytes[i + j])} << (8 * j);
    values.push_back(std::bit_cast<float>(word));
  }
  return values;
}

TEST(Embeddings, AreUnitVectorsInEitherEncoding) {
  Harness harness;
  const int size = harness.engine->model().hidden_size;
  Json body = {{"input", {"one", "two and more", "three"}}, {"dimensions", size}};
  const Json floats = harness.json(embeddings, body);
  ASSERT_EQ(floats["data"].size(), 3U);
  body["encoding_format"] = "base64";
  const Json encoded = harness.json(embeddings, body);
  int tokens = 0;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(floats["data"][i]["index"], i);
    const auto values = floats["data"][i]["embedding"].get<std::vector<float>>();
    EXPECT_EQ(from_base64(encoded["data"][i]["embedding"]), values);
    ASSERT_EQ(values.size(), static_cast<size_t>(size));
    double norm = 0;
    for (const float value : values) norm += static_cast<double>(value) * value;
    EXPECT_NEAR(norm, 1, 1e-5);
    const auto ids = harness.engine->tokenizer().encode(body["input"][i].get<std::string>());
    tokens += static_cast<int>(ids.size());
    const Json by_ids = harness.json(embeddings, {{"input", ids}});
    EXPECT_EQ(by_ids["data"][0]["embedding"], floats["data"][i]["embedding"]);
  }
  EXPECT_EQ(floats["usage"]["prompt_tokens"], tokens);
  EXPECT_EQ(floats["usage"]["total_tokens"], tokens);
  harness.expect_all_free();
}

TEST(Embeddings, SayWhatIsWrong) {
  Harness harness;
  const auto param = [&](const Json& body) { return harness.json(embeddings, body, 400)["error"]["param"]; };
  EXPECT_EQ(param(Json::object()), "input");
  EXPECT_EQ(param({{"input", "a"}, {"dimensions", 7}}), "dimensions");
  EXPECT_EQ(param({{"input", "a"}, {"encoding_format", "hex"}}), "encoding_format");
  EXPECT_EQ(param({{"input", std::string(3000, 'x')}}), "input");
  EXPECT_EQ(harness.json(embeddings, {{"input", "a"}, {"model", "other"}}, 404)["error"]["code"], "model_not_found");
}

TEST(Models, AreListedAndFound) {
  Harness harness;
  const Json list = Json::parse(harness.call(models, "", "/v1/models").body);
  EXPECT_EQ(list["object"], "list");
  ASSERT_EQ(list["data"].size(), 2U);
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(list["data"][0]["max_model_len"], 256);
  EXPECT_EQ(Json::parse(harness.call(models, "", "/v1/models/tiny-too").body), list["data"][1]);
  const http::Response missing = harness.call(models, "", "/v1/models/a/b");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(Json::parse(missing.body)["error"]["code"], "model_not_found");
}

}  // namespace
}  // namespace caravel::server::openai
