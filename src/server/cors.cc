#include "server/cors.h"

#include <algorithm>

#include "http/text.h"

namespace caravel::server {
namespace {

/// "https://example.org:443" is example.org to its Host header, which names no port that goes without saying.
bool is_of_host(std::string_view origin, std::string_view host) {
  std::string_view default_port;
  if (origin.starts_with("http://")) default_port = ":80";
  if (origin.starts_with("https://")) default_port = ":443";
  if (default_port.empty()) return false;
  origin.remove_prefix(origin.find("://") + 3);
  for (std::string_view* name : {&origin, &host}) {
    if (name->ends_with(default_port)) name->remove_suffix(default_port.size());
  }
  return !host.empty() && http::equal_without_case(origin, host);
}

}  // namespace

bool Cors::any() const { return std::ranges::find(origins_, "*") != origins_.end(); }

bool Cors::allows(std::string_view origin) const {
  return any() || std::ranges::find(origins_, origin) != origins_.end();
}

std::optional<std::string> Cors::foreign_site(const http::Request& request) const {
  if (any()) return std::nullopt;
  const auto origin = request.headers.find("Origin");
  if (origin && allows(*origin)) return std::nullopt;
  if (origin && !is_of_host(*origin, request.headers.find("Host").value_or(""))) return std::string(*origin);
  // What is not of the same origin is "cross-site", or "same-site" for another port or subdomain; "none" is a person.
  const auto site = request.headers.find("Sec-Fetch-Site");
  if (!site || (*site != "cross-site" && *site != "same-site")) return std::nullopt;
  return origin ? std::string(*origin) : std::string(*site);
}

void Cors::add_headers(const http::Request& request, http::Headers& headers) const {
  if (origins_.empty()) return;
  if (!any()) headers.add("Vary", "Origin");  // a shared cache must not give one origin's answer to another
  const auto origin = request.headers.find("Origin");
  if (!origin || !allows(*origin)) return;
  headers.add("Access-Control-Allow-Origin", any() ? "*" : std::string(*origin));
  headers.add("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
}

bool Cors::is_preflight(const http::Request& request) {
  return request.method == "OPTIONS" && request.headers.find("Origin") &&
         request.headers.find("Access-Control-Request-Method");
}

http::Response Cors::answer_preflight(const http::Request& request, const std::string& methods) const {
  const auto origin = request.headers.find("Origin");
  if (!origin || !allows(*origin)) return {.status = 403, .headers = {}, .body = {}};
  http::Response response{.status = 204, .headers = {}, .body = {}};
  response.headers.add("Access-Control-Allow-Methods", methods);
  if (const auto names = request.headers.find("Access-Control-Request-Headers")) {
    response.headers.add("Access-Control-Allow-Headers", std::string(*names));
  }
  response.headers.add("Access-Control-Max-Age", "600");
  return response;
}

}  // namespace caravel::server
