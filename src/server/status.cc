#include "server/status.h"

#include <fmt/format.h>

#include "server/answers.h"

namespace caravel::server {

http::Response health(Services& services, const http::Request& request) {
  const Stats stats = services.context.engine.stats();
  const Clock::duration stalled = services.stall.stalled(stats);
  if (stalled == Clock::duration::zero()) return json_response(R"({"status":"ok"})");
  return error_answer(request.path,
                      {503, "server_error",
                       fmt::format("The engine has {} requests to work on and has made no step for {:.0f} seconds.",
                                   stats.running_requests + stats.waiting_requests + stats.swapped_requests,
                                   std::chrono::duration<double>(stalled).count()),
                       std::nullopt, "engine_stalled"});
}

http::Response ping(Services& services, const http::Request& request) { return health(services, request); }

http::Response version(Services& /*services*/, const http::Request& /*request*/) {
  return json_response(R"({"version":")" CARAVEL_VERSION R"("})");
}

http::Response metrics_text(Services& services, const http::Request& /*request*/) {
  http::Response response{
      .status = 200, .headers = {}, .body = services.context.recorder.exposition(services.http_figures())};
  response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

}  // namespace caravel::server
