#include "server/status.h"

#include <fmt/format.h>

#include <utility>

#include "server/endpoint/api_error.h"
#include "server/endpoint/json_response.h"

namespace caravel::server {

std::unique_ptr<http::Work> health(const Call& call) {
  const Stats stats = call.services.engine.stats();
  if (!stats.device_error.empty()) {
    return http::ready(error_response(ApiError(503, "server_error", stats.device_error, std::nullopt, "device_lost")));
  }
  const Clock::duration stalled = call.services.stall.stalled(stats);
  if (stalled == Clock::duration::zero()) return http::ready(json_response(R"({"status":"ok"})"));
  // Probes come often: this is an answer, and no failure of the server's to be logged each time.
  return http::ready(error_response(
      ApiError(503, "server_error",
               fmt::format("The engine has {} requests to work on and has made no step for {:.0f} seconds.",
                           stats.running_requests + stats.waiting_requests + stats.swapped_requests,
                           std::chrono::duration<double>(stalled).count()),
               std::nullopt, "engine_stalled")));
}

std::unique_ptr<http::Work> version(const Call& /*call*/) {
  return http::ready(json_response(R"({"version":")" CARAVEL_VERSION R"("})"));
}

std::unique_ptr<http::Work> metrics_text(const Call& call) {
  http::Response response{
      .status = 200, .headers = {}, .body = call.services.recorder.exposition(call.services.http_figures())};
  response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return http::ready(std::move(response));
}

}  // namespace caravel::server
