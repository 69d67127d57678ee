#pragma once

#include <string>

#include "fields/fields.h"
#include "server/endpoint/api_error.h"
#include "server/endpoint/services.h"

namespace caravel::server {

/// The model that a request names; the first of the server's where it names none. Throws ApiError 404, model_not_found.
std::string parse_model(Fields& fields, const Services& services);

/// Throws the same for a name that no model has.
void check_model(const std::string& name, const Services& services);

}  // namespace caravel::server
