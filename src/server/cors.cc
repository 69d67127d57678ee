#include "server/cors.h"

#include <algorithm>

namespace caravel::server {

bool Cors::any() const { return std::ranges::find(origins_, "*") != origins_.end(); }

bool Cors::allows(std::string_view origin) const {
  return any() || std::ranges::find(origins_, origin) != origins_.end();
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
