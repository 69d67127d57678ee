#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

namespace caravel::server {

/// Which other sites' pages may call the server, by the browsers' CORS protocol. Immutable.
class Cors {
 public:
  /// origins: "https://example.org", or "*" for all.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// What an answer to `request` says of it; nothing where its origin is not allowed, or where it has none.
  void add_headers(const http::Request& request, http::Headers& headers) const;
  /// A question before the request proper. It carries no key, and needs none.
  static bool is_preflight(const http::Request& request);
  /// methods: of the path that was asked for, as in "GET, POST".
  http::Response answer_preflight(const http::Request& request, const std::string& methods) const;

 private:
  bool any() const;
  bool allows(std::string_view origin) const;

  std::vector<std::string> origins_;
};

}  // namespace caravel::server
