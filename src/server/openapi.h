#pragma once

#include <nlohmann/json.hpp>

#include "http/http.h"
#include "server/services.h"

namespace caravel::server {

/// What the server answers, as OpenAPI 3.1: every route (routes.h), its request and its answers.
nlohmann::ordered_json openapi_document();

/// GET /openapi.json.
http::Response openapi_json(Services& services, const http::Request& request);

/// The document's components.schemas. Requests allow no field that is not named: nor do their endpoints.
nlohmann::ordered_json openapi_schemas();

}  // namespace caravel::server
