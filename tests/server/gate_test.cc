#include "server/gate.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace caravel::server {
namespace {

http::Request request(const std::string& method, const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& headers = {}) {
  http::Request head;
  head.method = method;
  head.path = path;
  head.headers.add("Host", "localhost:8000");
  for (const auto& [name, value] : headers) head.headers.add(name, value);
  return head;
}

int status(const Gate& gate, const http::Request& head, bool draining = false) {
  const auto refusal = gate.refuse(head, draining);
  return refusal ? refusal->status : 0;
}

class Keys : public testing::Test {
 protected:
  const Gate gate_{[] {
    ServeConfig config;
    config.api_keys = {"first-key", "second"};
    return config;
  }()};
};

TEST_F(Keys, EitherFormOfAnyKeyOpens) {
  EXPECT_EQ(0, status(gate_, request("POST", "/v1/completions", {{"Authorization", "Bearer first-key"}})));
  EXPECT_EQ(0, status(gate_, request("POST", "/v1/completions", {{"authorization", "bearer second"}})));
  EXPECT_EQ(0, status(gate_, request("POST", "/v1/messages", {{"X-Api-Key", "second"}})));
}

TEST_F(Keys, AnythingElseIsRefused) {
  for (const char* shown : {"Bearer", "Bearer ", "Bearer first-ke", "Bearer first-keyy", "Bearer secondsecond",
                            "Basic first-key", "first-key", "Bearer first-key second"}) {
    EXPECT_EQ(401, status(gate_, request("POST", "/v1/completions", {{"Authorization", shown}}))) << shown;
  }
  EXPECT_EQ(401, status(gate_, request("POST", "/v1/completions", {{"x-api-key", ""}})));
  EXPECT_EQ(401, status(gate_, request("GET", "/v1/models/some/model")));
  EXPECT_EQ(401, status(gate_, request("GET", "/dashboard/events")));
}

TEST_F(Keys, ProbesAndPagesNeedNone) {
  for (const char* path : {"/health", "/ping", "/version", "/metrics", "/openapi.json", "/", "/dashboard"}) {
    EXPECT_EQ(0, status(gate_, request("GET", path))) << path;
    EXPECT_EQ(0, status(gate_, request("HEAD", path))) << path;
  }
}

TEST_F(Keys, APreflightCarriesNone) {
  ServeConfig config;
  config.api_keys = {"key"};
  config.allowed_origins = {"https://a.example"};
  EXPECT_EQ(
      0, status(Gate(config), request("OPTIONS", "/v1/completions",
                                      {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "POST"}})));
}

TEST_F(Keys, ErrorsAreInTheFormOfTheEndpoint) {
  const auto openai = nlohmann::json::parse(gate_.refuse(request("POST", "/v1/chat/completions"), false)->body);
  EXPECT_EQ("invalid_api_key", openai["error"]["code"]);
  const auto anthropic = nlohmann::json::parse(gate_.refuse(request("POST", "/v1/messages"), false)->body);
  EXPECT_EQ("error", anthropic["type"]);
  EXPECT_EQ("authentication_error", anthropic["error"]["type"]);
}

int status_for_host(const ServeConfig& config, const std::string& host) {
  http::Request head;
  head.method = "GET";
  head.path = "/health";
  head.headers.add("Host", host);
  return status(Gate(config), head);
}

TEST(Hosts, OnALoopbackAddressOnlyItsNamesAreAnswered) {
  ServeConfig config;
  config.http.host = "127.0.0.1";
  for (const char* host : {"localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000", "[::1]"}) {
    EXPECT_EQ(0, status_for_host(config, host)) << host;
  }
  for (const char* host : {"evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "10.0.0.1:8000", "[::2]:8000", "127.0.0.1:8000:1"}) {
    EXPECT_EQ(403, status_for_host(config, host)) << host;
  }
}

TEST(Hosts, AllowedNamesAreAnsweredToo) {
  ServeConfig config;
  config.http.host = "localhost";
  config.allowed_hosts = {"caravel.internal", "other.internal:9000"};
  EXPECT_EQ(0, status_for_host(config, "Caravel.Internal:8000"));
  EXPECT_EQ(0, status_for_host(config, "other.internal:9000"));
  EXPECT_EQ(403, status_for_host(config, "other.internal:8000"));
}

TEST(Hosts, ElsewhereNoneIsChecked) {
  ServeConfig config;
  config.http.host = "0.0.0.0";
  EXPECT_EQ(0, status_for_host(config, "anything.example"));
  config.allowed_hosts = {"caravel.example"};
  EXPECT_EQ(403, status_for_host(config, "anything.example"));
}

class Pages : public testing::Test {
 protected:
  static ServeConfig config() {
    ServeConfig config;
    config.allowed_origins = {"https://a.example"};
    return config;
  }
  int post(const std::vector<std::pair<std::string, std::string>>& headers) {
    return status(gate_, request("POST", "/v1/completions", headers));
  }
  const Gate gate_{config()};
};

TEST_F(Pages, OfOtherOriginsAreRefusedWhateverTheyAskFor) {
  for (const char* origin : {"http://evil.com", "null", "http://localhost:3000", "https://localhost", "localhost:8000",
                             "http://localhost:8000.evil.com", "https://a.example:444", "", "chrome-extension://abc"}) {
    EXPECT_EQ(403, post({{"Origin", origin}})) << origin;
  }
  EXPECT_EQ(403, status(gate_, request("GET", "/dashboard/events", {{"Origin", "http://evil.com"}})));
  EXPECT_EQ(403, status(gate_, request("GET", "/health", {{"Origin", "http://evil.com"}})));
  EXPECT_EQ(403, status(gate_, request("OPTIONS", "/v1/completions", {{"Origin", "http://evil.com"}})));
}

TEST_F(Pages, OfOtherSitesAreRefusedWithoutAnOriginToo) {
  for (const char* site : {"cross-site", "same-site"}) {
    EXPECT_EQ(403, post({{"Sec-Fetch-Site", site}})) << site;
    EXPECT_EQ(403, status(gate_, request("GET", "/dashboard/events", {{"Sec-Fetch-Site", site}}))) << site;
    EXPECT_EQ(403, status(gate_, request("POST", "/ping", {{"Sec-Fetch-Site", site}}))) << site;
    EXPECT_EQ(403, post({{"Sec-Fetch-Site", site}, {"Origin", "http://localhost:8000"}})) << site;
    EXPECT_EQ(0, post({{"Sec-Fetch-Site", site}, {"Origin", "https://a.example"}})) << site;
    EXPECT_EQ(0, status(gate_, request("GET", "/", {{"Sec-Fetch-Site", site}}))) << "a link to the page";
  }
}

TEST_F(Pages, OfTheServerItselfAndOfNobodyAreAnswered) {
  EXPECT_EQ(0, post({}));
  EXPECT_EQ(0, post({{"Origin", "http://localhost:8000"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_EQ(0, post({{"Origin", "http://LOCALHOST:8000"}}));
  EXPECT_EQ(0, post({{"Sec-Fetch-Site", "none"}}));
  http::Request head;
  head.method = "POST";
  head.path = "/tokenize";
  head.headers.add("Host", "localhost");
  head.headers.add("Origin", "http://localhost:80");
  EXPECT_EQ(0, status(gate_, head));
}

TEST_F(Pages, AreToldHowToBeLetIn) {
  const auto refusal = gate_.refuse(request("POST", "/tokenize", {{"Origin", "http://evil.com"}}), false);
  ASSERT_TRUE(refusal);
  const std::string message = nlohmann::json::parse(refusal->body)["error"]["message"];
  EXPECT_NE(std::string::npos, message.find("http://evil.com")) << message;
  EXPECT_NE(std::string::npos, message.find("--allowed-origins")) << message;
}

TEST(AllOrigins, AreLetInByAStar) {
  ServeConfig config;
  config.allowed_origins = {"*"};
  EXPECT_EQ(0, status(Gate(config), request("POST", "/tokenize", {{"Origin", "null"}})));
  EXPECT_EQ(0, status(Gate(config), request("POST", "/tokenize", {{"Sec-Fetch-Site", "cross-site"}})));
}

int status_of_type(const std::string& path, const std::string& type) {
  return status(Gate{ServeConfig()}, request("POST", path, {{"Content-Type", type}}));
}

TEST(Bodies, AreJsonInUtf8OrSayNothingOfThemselves) {
  for (const char* type : {"application/json", "Application/JSON", "application/json; charset=utf-8", "",
                           "application/json;charset=\"UTF-8\"; profile=x", "application/json ; odd"}) {
    EXPECT_EQ(0, status_of_type("/v1/chat/completions", type)) << type;
  }
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "application/json; charset=latin-1", "application/json, text/plain", "application/jsonx"}) {
    for (const char* path : {"/v1/chat/completions", "/v1/messages", "/v1/score", "/detokenize"}) {
      EXPECT_EQ(415, status_of_type(path, type)) << type << " " << path;
    }
  }
  EXPECT_EQ(0, status_of_type("/ping", "text/plain")) << "its body is not read";
}

TEST(Bodies, OfAnotherTypeAreToldWhichHeaderToSend) {
  const auto refusal = Gate{ServeConfig()}.refuse(
      request("POST", "/v1/completions", {{"Content-Type", "application/x-www-form-urlencoded"}}), false);
  ASSERT_TRUE(refusal);
  EXPECT_NE(std::string::npos, refusal->body.find("Content-Type: application/json")) << refusal->body;
}

TEST(Bodies, AreNotCompressed) {
  const Gate gate{ServeConfig()};
  EXPECT_EQ(415, status(gate, request("POST", "/v1/completions", {{"Content-Encoding", "gzip"}})));
  EXPECT_EQ(0, status(gate, request("POST", "/v1/completions", {{"Content-Encoding", "identity"}})));
}

TEST(Draining, IsAnswered503WithATimeToComeAgain) {
  const Gate gate{ServeConfig()};
  EXPECT_EQ(0, status(gate, request("POST", "/v1/completions")));
  const auto refusal = gate.refuse(request("POST", "/v1/completions"), true);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(503, refusal->status);
  EXPECT_TRUE(refusal->headers.find("Retry-After"));
  EXPECT_EQ(503, status(gate, request("GET", "/health"), true));
  EXPECT_EQ(0, status(gate, request("GET", "/metrics"), true));
}

}  // namespace
}  // namespace caravel::server
