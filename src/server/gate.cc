#include "server/gate.h"

#include <fmt/format.h>

#include "server/body_form.h"
#include "server/endpoint/api_error.h"
#include "server/error_answer.h"
#include "server/routes.h"

namespace caravel::server {

namespace {

/// A link on another site may lead to what a browser shows and what anybody may ask for; it costs next to nothing.
bool is_open_to_links(const Route* route) { return route != nullptr && route->method == "GET" && !route->needs_key; }

}  // namespace

std::optional<http::Response> Gate::refuse(const http::Request& head, bool draining) const {
  const auto refusal = [&head](int status, const char* type, const std::string& message, const char* code) {
    return error_answer(head.path, ApiError(status, type, message, std::nullopt, code));
  };
  const std::string_view host = head.headers.find("Host").value_or("");
  if (!hosts_.accept(host)) {
    return refusal(
        403, "permission_error",
        fmt::format("This server does not answer for the host '{}'. Start it with --allowed-host to let it.", host),
        "host_not_allowed");
  }
  const Route* route = find_route(head.method, head.path);
  const auto site = cors_.foreign_site(head);
  if (site && (head.headers.find("Origin") || !is_open_to_links(route))) {
    return refusal(403, "permission_error",
                   fmt::format("This server does not answer pages of another origin ({}). Start it with "
                               "--allowed-origins to let one.",
                               *site),
                   "origin_not_allowed");
  }
  // Who watches the end may go on watching.
  if (draining && head.path != "/metrics") {
    http::Response response = refusal(503, "server_error", "The server is shutting down.", "shutting_down");
    response.headers.add("Retry-After", "5");
    return response;
  }
  if (Cors::is_preflight(head) || route == nullptr || !route->needs_key) return std::nullopt;
  if (!keys_.empty() && !keys_.accept(head.headers)) {
    http::Response response =
        refusal(401, "authentication_error",
                "A key of this server is needed: Authorization: Bearer KEY, or x-api-key: KEY.", "invalid_api_key");
    response.headers.add("WWW-Authenticate", "Bearer");
    return response;
  }
  if (route->method != "POST") return std::nullopt;
  const std::string wrong = wrong_body_form(head.headers);
  if (wrong.empty()) return std::nullopt;
  return refusal(415, "invalid_request_error", wrong, "unsupported_media_type");
}

}  // namespace caravel::server
