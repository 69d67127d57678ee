#pragma once

#include <future>
#include <memory>
#include <string>

#include "http/client.h"

namespace caravel::server {

/// One request, and its answer read whole. Throws std::runtime_error where it breaks off.
inline http::Response ask(uint16_t port, http::Request request) {
  const auto client =
      http::Client::open(http::parse_url("http://127.0.0.1:" + std::to_string(port)), std::chrono::minutes(2));
  http::Response answer;
  std::promise<std::string> end;
  client->submit(std::move(request), {.on_head = [&](const http::Response& head) { answer = head; },
                                      .on_body = [&](std::string_view piece) { answer.body += piece; },
                                      .on_end = [&](std::string error) { end.set_value(std::move(error)); }});
  if (const std::string error = end.get_future().get(); !error.empty()) throw std::runtime_error(error);
  return answer;
}

}  // namespace caravel::server
