#pragma once

#include "fields/json.h"
#include "fields/request_field.h"

namespace caravel {

/// What the field may be on the surface, as a JSON schema (draft 2020-12, which OpenAPI 3.1 takes). It may refer to
/// TokenId, TokenIds, TokenIdsOrNull, ChatMessage and Tool of #/components/schemas.
Json field_schema(const RequestField& field, Surface surface);

/// The schema of a whole request: its fields that are served, and no others.
Json request_schema(Surface surface);

}  // namespace caravel
