#include "server/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/harness.h"

namespace caravel::server {
namespace {

TEST(Scores, EmptyListsAreToldAsElsewhere) {
  Harness harness;
  for (const auto& [body, param] : {std::pair(R"({"prefix": "a", "continuations": []})", "continuations"),
                                    std::pair(R"({"prefix": [1], "continuations": [[]]})", "continuations.0"),
                                    std::pair(R"({"prefix": [], "continuations": [[1]]})", "prefix")}) {
    const http::Response response = harness.call(score, body);
    EXPECT_EQ(response.status, 400) << body;
    const Json error = Json::parse(response.body)["error"];
    EXPECT_EQ(error["param"], param) << body;
    EXPECT_EQ(error["code"], "empty_array") << body;
    EXPECT_THAT(error["message"].get<std::string>(), testing::HasSubstr("Expected an array with minimum length 1"));
  }
}

}  // namespace
}  // namespace caravel::server
