#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server {

/// GET /health: 200, or 503 where the engine has work and has not moved for the configured time.
std::unique_ptr<http::Work> health(const Call& call);
/// GET /version: {"version"}.
std::unique_ptr<http::Work> version(const Call& call);
/// GET /metrics: Prometheus' text format.
std::unique_ptr<http::Work> metrics_text(const Call& call);

}  // namespace caravel::server
