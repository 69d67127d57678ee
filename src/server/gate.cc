#include "server/gate.h"

#include <fmt/format.h>

#include "server/cors.h"
#include "server/endpoint/api_error.h"
#include "server/error_answer.h"
#include "server/routes.h"

namespace caravel::server {

std::optional<http::Response> Gate::refuse(const http::Request& head, bool draining) const {
  const std::string_view host = head.headers.find("Host").value_or("");
  if (!hosts_.accept(host)) {
    return error_answer(head.path, ApiError(403, "permission_error",
                                            fmt::format("This server does not answer for the host '{}'. Start it with "
                                                        "--allowed-host to let it.",
                                                        host),
                                            std::nullopt, "host_not_allowed"));
  }
  // Who watches the end may go on watching.
  if (draining && head.path != "/metrics") {
    http::Response response = error_answer(
        head.path, ApiError(503, "server_error", "The server is shutting down.", std::nullopt, "shutting_down"));
    response.headers.add("Retry-After", "5");
    return response;
  }
  if (keys_.empty() || Cors::is_preflight(head)) return std::nullopt;
  const Route* route = find_route(head.method, head.path);
  if (route == nullptr || !route->needs_key || keys_.accept(head.headers)) return std::nullopt;
  http::Response response =
      error_answer(head.path, ApiError(401, "authentication_error",
                                       "A key of this server is needed: Authorization: Bearer KEY, or x-api-key: KEY.",
                                       std::nullopt, "invalid_api_key"));
  response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace caravel::server
