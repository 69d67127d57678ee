#pragma once

#include "http/http.h"
#include "server/services.h"

namespace caravel::server {

/// GET /health: 200, or 503 where the engine has work and has not moved for the configured time.
http::Response health(Services& services, const http::Request& request);
/// /ping: the same under the name that SageMaker asks for.
http::Response ping(Services& services, const http::Request& request);
/// GET /version: {"version"}.
http::Response version(Services& services, const http::Request& request);
/// GET /metrics: Prometheus' text format.
http::Response metrics_text(Services& services, const http::Request& request);

}  // namespace caravel::server
