#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

namespace caravel::server {

/// Which sites' pages may call the server, by what browsers say of them: Origin, Sec-Fetch-Site, and the CORS protocol.
/// Immutable.
class Cors {
 public:
  /// origins: "https://example.org", or "*" for all.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// The site of a foreign page that sends `request`, as its browser names it; nothing where the server's own page, one
  /// of an allowed origin, or no page at all does. Browsers send a simple POST without asking first, so an answer that
  /// the page cannot read has cost its work all the same.
  std::optional<std::string> foreign_site(const http::Request& request) const;
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
