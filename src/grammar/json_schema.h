#pragma once

#include <string_view>

#include "grammar/expr.h"

namespace caravel::grammar {

enum class SchemaReading : uint8_t {
  /// What the schema leaves open is left open.
  kExact,
  /// As people mean it: an object that declares properties and says nothing of others has no others, and a schema
  /// without a type whose keywords are of one type alone is of that type. All that fits it fits the schema.
  kStrict,
};

/// The JSON texts that fit a schema (drafts 7 to 2020-12), in one way of writing them: properties in the order in which
/// they are declared, then others; see json_text.h. Throws InvalidArgument and Unsupported: a known keyword that it
/// cannot enforce is named with its place. What is an annotation to JSON Schema because it is not known (keywords,
/// formats) is in Grammar::ignored.
Grammar parse_json_schema(std::string_view text, SchemaReading reading = SchemaReading::kStrict);

}  // namespace caravel::grammar
