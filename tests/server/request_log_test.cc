#include "server/request_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace caravel::server {
namespace {

using Format = log::Format;

Exchange finished() {
  Exchange exchange;
  exchange.id = "7-1";
  exchange.peer = "127.0.0.1:5000";
  exchange.method = "POST";
  exchange.path = "/v1/completions";
  exchange.status = 200;
  exchange.complete = true;
  exchange.finish_reason = FinishReason::kLength;
  exchange.usage = {.prompt_tokens = 12, .completion_tokens = 30, .cached_tokens = 4};
  return exchange;
}

const std::chrono::system_clock::time_point kTime{std::chrono::milliseconds(1'700'000'000'123)};

TEST(RequestLog, JsonHasEveryField) {
  const auto line = nlohmann::json::parse(request_line(finished(), Format::kJson, kTime));
  EXPECT_EQ("2023-11-14T22:13:20.123Z", line["time"]);
  EXPECT_EQ("7-1", line["request_id"]);
  EXPECT_EQ("POST", line["method"]);
  EXPECT_EQ("/v1/completions", line["path"]);
  EXPECT_EQ(200, line["status"]);
  EXPECT_EQ(12, line["prompt_tokens"]);
  EXPECT_EQ(30, line["completion_tokens"]);
  EXPECT_EQ(4, line["cached_tokens"]);
  EXPECT_EQ("length", line["finish_reason"]);
  EXPECT_FALSE(line.contains("body"));
}

TEST(RequestLog, WhatGeneratedNothingHasNoTokens) {
  Exchange exchange = finished();
  exchange.finish_reason = FinishReason::kNone;
  EXPECT_FALSE(nlohmann::json::parse(request_line(exchange, Format::kJson, kTime)).contains("prompt_tokens"));
}

TEST(RequestLog, AClientThatWentAwayIs499) {
  Exchange exchange = finished();
  exchange.complete = false;
  EXPECT_EQ(499, nlohmann::json::parse(request_line(exchange, Format::kJson, kTime))["status"]);
}

TEST(RequestLog, NothingThatAClientSendsBreaksTheLine) {
  Exchange exchange = finished();
  exchange.path = "/a\n2024 forged\x1b[31m\xff";
  exchange.body = "{\n\"prompt\": \"\xfe\"}";
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string line = request_line(exchange, format, kTime);
    EXPECT_EQ(std::string::npos, line.find('\n')) << line;
    EXPECT_EQ(std::string::npos, line.find('\x1b')) << line;
    EXPECT_NE(std::string::npos, line.find("prompt")) << line;
  }
}

}  // namespace
}  // namespace caravel::server
