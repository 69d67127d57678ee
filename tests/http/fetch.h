#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/client.h"

namespace caravel::http::test {

struct Fetched {
  Response response;
  std::vector<std::string> pieces;  // of the body, as they came
  std::string error;
};

/// Sends one request; the answer comes later.
inline std::future<Fetched> fetch(Client& client, Request request) {
  auto fetched = std::make_shared<Fetched>();
  auto done = std::make_shared<std::promise<Fetched>>();
  std::future<Fetched> future = done->get_future();
  Callbacks callbacks;
  callbacks.on_head = [fetched](const Response& head) { fetched->response = head; };
  callbacks.on_body = [fetched](std::string_view piece) {
    fetched->pieces.emplace_back(piece);
    fetched->response.body += piece;
  };
  callbacks.on_end = [fetched, done](std::string error) {
    fetched->error = std::move(error);
    done->set_value(std::move(*fetched));
  };
  client.submit(std::move(request), std::move(callbacks));
  return future;
}

inline Request request_of(std::string method, std::string path, std::string body = "") {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

}  // namespace caravel::http::test
