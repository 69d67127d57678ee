#pragma once

#include <atomic>
#include <memory>

#include "caravel/engine.h"
#include "http/http.h"

namespace caravel::server::web {

/// GET /dashboard/events: server-sent events, some four a second while the engine moves, for as long as the client
/// stays and until `ending` is set, so that who watches does not hold up a server that drains. Each is one JSON object
/// (feed_encoder.h). A thread ticks while anyone watches, and only then. `engine` and `ending` must outlive the work.
std::unique_ptr<http::Work> dashboard_events(Engine& engine, const std::atomic<bool>& ending,
                                             const http::Request& request, const http::Wake& wake);

}  // namespace caravel::server::web
