#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "server/endpoint/call.h"

namespace caravel::server {

/// What the server answers, as OpenAPI 3.1: every route (routes.h), its request and its answers.
nlohmann::ordered_json openapi_document();

/// GET /openapi.json.
std::unique_ptr<http::Work> openapi_json(const Call& call);

/// The document's components.schemas. Requests allow no field that is not named: nor do their endpoints.
nlohmann::ordered_json openapi_schemas();

}  // namespace caravel::server
