#pragma once

#include <functional>
#include <memory>

#include "caravel/engine.h"
#include "http/http.h"

namespace caravel::server::web {

/// GET /dashboard/events: server-sent events, some four a second while the engine moves, for as long as the client
/// stays and until `ending` says so, so that who watches does not hold up a server that drains. Each is one JSON object
/// (feed_encoder.h). `engine` must outlive the work.
std::unique_ptr<http::Work> dashboard_events(Engine& engine, std::function<bool()> ending);

}  // namespace caravel::server::web
