#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fields/json.h"

namespace caravel::chat {

/// Kinds of JSON values; an integer is a number.
enum class JsonKind : uint8_t { kString = 1, kNumber = 2, kBoolean = 4, kObject = 8, kArray = 16, kNull = 32 };

/// Some of them, as bits; none: nothing is known.
using JsonKinds = uint8_t;
inline constexpr JsonKinds kStringAlone = static_cast<JsonKinds>(JsonKind::kString);

/// What the schema of `tool` allows for its argument `name`: by type, enum, const, anyOf, oneOf, allOf, nullable and
/// $ref within the schema. A schema may be anything a client sends; what cannot be read says nothing.
JsonKinds argument_kinds(const Json& tools, std::string_view tool, std::string_view name);

/// The JSON of an argument that a model wrote as plain text, in a format that has no quotes around texts. Where a
/// string is allowed or nothing is known, what reads as another kind that is allowed is that ("null", "12"), all else
/// the text as it is. Where none is allowed, whatever reads as JSON is that (and what JsonMender reads beside), and
/// only what does not is a string.
std::string argument_json(std::string_view text, JsonKinds kinds);

}  // namespace caravel::chat
