#pragma once

#include "caravel/request.h"
#include "fields/json.h"
#include "fields/request_field.h"

namespace caravel::cli {

/// Adds to a request's body what the flags give of the sampling and the body does not say itself, under the names that
/// the fields have on `surface`. What the surface has no field for is left out.
void add_given_fields(Json& body, const SamplingParams& given, Surface surface);

}  // namespace caravel::cli
