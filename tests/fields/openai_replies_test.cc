#include "fields/openai_replies.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

TEST(OpenaiReplies, FindsEndpointsBehindAddresses) {
  EXPECT_EQ(api_path("", "models"), "/v1/models");
  EXPECT_EQ(api_path("/v1", "models"), "/models");
  EXPECT_EQ(api_path("/proxy", "models"), "/v1/models");
  EXPECT_EQ(api_path("/api/paas/v4", "models"), "/models");
  EXPECT_EQ(api_path("/v1beta/openai", "models"), "/models");
  EXPECT_EQ(api_path("/vault", "models"), "/v1/models");
}

TEST(OpenaiReplies, SaysWhatAServerSaid) {
  EXPECT_EQ(error_message(R"({"error":{"message":"too\nmany","code":429}})"), "too many");
  EXPECT_EQ(error_message(R"({"error":"gone"})"), "gone");
  EXPECT_EQ(error_message(R"({"object":"error","message":"old form"})"), "old form");
  EXPECT_EQ(error_message(R"({"detail":"Not Found"})"), "Not Found");
  EXPECT_EQ(error_message("<html>\x1b[31m"), "<html>?[31m");
  EXPECT_EQ(error_message(std::string(1000, 'x')), std::string(300, 'x') + "...");
}

TEST(OpenaiReplies, FindsTheFirstModel) {
  EXPECT_EQ(first_model(R"({"data":[{"id":"a"},{"id":"b"}]})"), "a");
  for (const char* const none : {"", "[]", R"({"data":[]})", R"({"data":[{"id":1}]})"})
    EXPECT_EQ(first_model(none), "");
}

}  // namespace
}  // namespace caravel
