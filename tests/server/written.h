#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "http/http.h"

namespace caravel::server {

/// What an endpoint wrote, without a connection.
class Written final : public http::Writer {
 public:
  void respond(http::Response response) override {
    EXPECT_FALSE(done_) << "two responses";
    response_ = std::move(response);
    done_ = true;
  }
  void start(http::Response head) override {
    response_ = std::move(head);
    started_ = true;
  }
  void write(std::string_view piece) override {
    EXPECT_TRUE(started_);
    response_.body += piece;
    ++writes_;
  }
  void end() override { done_ = true; }

  bool done() const { return done_; }
  bool started() const { return started_; }
  int writes() const { return writes_; }
  const http::Response& response() const { return response_; }

 private:
  http::Response response_;
  bool started_ = false;
  bool done_ = false;
  int writes_ = 0;
};

}  // namespace caravel::server
