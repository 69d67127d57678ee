#include "server/cors.h"

#include <gtest/gtest.h>

namespace caravel::server {
namespace {

http::Request from(const std::string& origin, const std::string& method = "POST") {
  http::Request request;
  request.method = method;
  if (!origin.empty()) request.headers.add("Origin", origin);
  if (method == "OPTIONS") {
    request.headers.add("Access-Control-Request-Method", "POST");
    request.headers.add("Access-Control-Request-Headers", "authorization, content-type");
  }
  return request;
}

std::string allowed_origin(const Cors& cors, const std::string& origin) {
  http::Headers headers;
  cors.add_headers(from(origin), headers);
  return std::string(headers.find("Access-Control-Allow-Origin").value_or(""));
}

TEST(Cors, WithoutOriginsNobodyIsAllowed) {
  EXPECT_EQ("", allowed_origin(Cors({}), "https://a.example"));
  EXPECT_EQ(403, Cors({}).answer_preflight(from("https://a.example", "OPTIONS"), "POST").status);
}

TEST(Cors, AListAllowsWhatIsInIt) {
  const Cors cors({"https://a.example", "http://localhost:3000"});
  EXPECT_EQ("https://a.example", allowed_origin(cors, "https://a.example"));
  EXPECT_EQ("", allowed_origin(cors, "https://a.example.evil.example"));
  EXPECT_EQ("", allowed_origin(cors, "http://a.example"));
  EXPECT_EQ("", allowed_origin(cors, "null"));
  EXPECT_EQ("", allowed_origin(cors, ""));
}

TEST(Cors, AnswersThatDependOnTheOriginSaySoToCaches) {
  const Cors cors({"https://a.example"});
  for (const char* origin : {"https://a.example", "https://b.example", ""}) {
    http::Headers headers;
    cors.add_headers(from(origin), headers);
    EXPECT_EQ("Origin", headers.find("Vary").value_or("")) << origin;
  }
}

TEST(Cors, AStarAllowsAll) { EXPECT_EQ("*", allowed_origin(Cors({"*"}), "https://a.example")); }

TEST(Cors, APreflightIsToldMethodsAndHeaders) {
  const http::Response answer = Cors({"*"}).answer_preflight(from("https://a.example", "OPTIONS"), "POST, OPTIONS");
  EXPECT_EQ(204, answer.status);
  EXPECT_EQ("POST, OPTIONS", answer.headers.find("Access-Control-Allow-Methods").value_or(""));
  EXPECT_EQ("authorization, content-type", answer.headers.find("Access-Control-Allow-Headers").value_or(""));
}

}  // namespace
}  // namespace caravel::server
