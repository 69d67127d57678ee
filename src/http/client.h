#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/http.h"

namespace caravel::http {

/// "http://host:port/prefix" or https.
struct Url {
  bool tls = false;
  std::string host;
  uint16_t port = 80;
  std::string path;  // begins with '/', or empty
};
/// Throws InvalidArgument.
Url parse_url(std::string_view text);

/// What becomes of one request. On the client's thread.
struct Callbacks {
  std::function<void(const Response& head)> on_head;
  std::function<void(std::string_view piece)> on_body;  // de-chunked, as it comes
  std::function<void(std::string error)> on_end;        // empty: complete; exactly once
};

/// Many requests at once on one thread, with kept connections: what a load generator needs. Any thread may submit.
class Client {
 public:
  /// `timeout`: from submit() to the last byte; `connect_timeout`: of it, until there is a connection, TLS and all.
  /// Throws Error where the host has no address.
  static std::unique_ptr<Client> open(const Url& url, std::chrono::milliseconds timeout,
                                      std::chrono::milliseconds connect_timeout = std::chrono::seconds(15));
  /// Drops what runs without calling back.
  virtual ~Client() = default;
  /// Sends `request`, whose path comes behind the URL's and is percent-encoded here; Host and Content-Length are added.
  virtual void submit(Request request, Callbacks callbacks) = 0;
};

}  // namespace caravel::http
