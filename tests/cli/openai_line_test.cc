#include "cli/openai_line.h"

#include <gtest/gtest.h>

namespace caravel::cli {
namespace {

const BatchRow kRow = {.id = "a \"row\"", .digest = "0123456789abcdef0123456789abcdef"};

TEST(OpenAiLine, HoldsTheAnswerAndTheDigest) {
  const std::string line = openai_line(kRow, 200, R"({"id":"chatcmpl-1","n":0.5})");
  EXPECT_EQ(line.back(), '\n');
  const Json json = parse_json(line);
  EXPECT_EQ(json["custom_id"], "a \"row\"");
  EXPECT_EQ(json["response"]["status_code"], 200);
  EXPECT_EQ(to_text(json["response"]["body"]), R"({"id":"chatcmpl-1","n":0.5})");
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_EQ(openai_digest(json["id"].get<std::string>()), kRow.digest);
  EXPECT_EQ(openai_error(json), std::nullopt);
}

TEST(OpenAiLine, HoldsARefusalWhereEitherReaderLooks) {
  const Json json =
      parse_json(openai_line(kRow, 400, R"({"error":{"message":"no","type":"t","param":"p","code":"invalid_value"}})"));
  EXPECT_EQ(json["response"]["body"]["error"]["message"], "no");
  EXPECT_EQ(to_text(json["error"]), R"({"code":"invalid_value","message":"no"})");
  EXPECT_EQ(openai_error(json), "no");
}

TEST(OpenAiLine, ReadsWhatOthersWrite) {
  for (const char* id : {"batch_req_wnaDys", "vllm-7f3b5c0f0e9d4f6c8a2b1c3d4e5f6071", "", "caravel-1"}) {
    EXPECT_EQ(openai_digest(id), "") << id;
  }
  const auto error = [](const char* line) { return openai_error(parse_json(line)).value_or("none"); };
  EXPECT_EQ(error(R"({"response": {"status_code": 200, "body": {}}, "error": null})"), "none");
  EXPECT_EQ(error(R"({"response": {"status_code": 400, "body": {"error": {"message": "a"}}}, "error": null})"), "a");
  EXPECT_EQ(error(R"({"response": {"status_code": 400, "body": null}, "error": "b"})"), "b");
  EXPECT_EQ(error(R"({"response": {"status_code": 400, "body": null}, "error": {"error": {"message": "c"}}})"), "c");
  EXPECT_EQ(error(R"({"response": null, "error": {"code": "batch_expired", "message": "d"}})"), "d");
  EXPECT_EQ(error(R"({"response": null, "error": null})"), "there is no response");
}

}  // namespace
}  // namespace caravel::cli
