#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grammar/json_number.h"
#include "grammar/json_text.h"
#include "grammar/unique_list.h"

namespace caravel::grammar {

using Types = uint8_t;
inline constexpr Types kNull = 1, kBoolean = 2, kObject = 4, kArray = 8, kString = 16, kInteger = 32, kFraction = 64;
inline constexpr Types kNumber = kInteger | kFraction;
inline constexpr Types kAllTypes = 127;

/// The types that `value` belongs to: of a number without fraction, kInteger.
Types type_of(const Json& value);

/// Of two values the same text if, and only if, they are equal as JSON Schema has it: whatever the order of keys, 1 as
/// 1.0. Throws Unsupported for numbers that decimal_of() does not write out.
std::string canonical_text(const Json& value);

struct CanonicalText {
  std::string operator()(const Json& value) const { return canonical_text(value); }
};
using Values = UniqueList<Json, CanonicalText>;

struct NamedSchema {
  std::string name;
  Json schema;
  bool operator==(const NamedSchema&) const = default;
};
struct NameOf {
  const std::string& operator()(const NamedSchema& named) const { return named.name; }
};
using NamedSchemas = UniqueList<NamedSchema, NameOf>;
/// A name may have several schemas, which hold together.
struct NameAndSchema {
  std::string operator()(const NamedSchema& named) const { return named.schema.dump() + named.name; }
};
using PatternSchemas = UniqueList<NamedSchema, NameAndSchema>;

/// The most schemas that a list of a schema's may combine.
inline constexpr size_t kMaxParts = 1000;

/// What the keywords of one schema say of a value, combinations and references aside; of several schemas that must hold
/// together, once merged. A limit counts for values of its type alone.
struct Shape {
  Types types = kAllTypes;
  bool says_type = false;        // by `type`, `enum` or `const`
  Types mentions = 0;            // the types whose keywords occur
  std::optional<Values> values;  // one of these
  Texts excluded;                // strings that it must not be

  std::optional<Bound> minimum, maximum;
  std::vector<Decimal> multiple_of;

  int64_t min_length = 0;
  std::optional<int64_t> max_length;
  Texts patterns;
  Texts not_patterns;  // that must occur nowhere
  Texts formats;       // known ones

  NamedSchemas properties;
  bool declares = false;  // by `properties`; not where they are a condition alone
  Texts absent;           // names that must not be there
  Texts required;
  PatternSchemas pattern_properties;
  std::optional<Json> additional;  // the schema of names that the two above do not have
  std::vector<Json> property_names;
  int64_t min_properties = 0;
  std::optional<int64_t> max_properties;

  std::vector<Json> prefix;   // schemas of the first items
  std::optional<Json> items;  // the schema of those that follow
  int64_t min_items = 0;
  std::optional<int64_t> max_items;
  bool unique = false;  // no two items are equal

  const Json* property(std::string_view name) const;
};

/// Reads the keywords of `schema`, an object, but those that refer and combine; older drafts' and OpenAPI's forms too.
/// Appends to `ignored` keywords and formats that are not known: they are annotations (JSON Schema 2020-12, core 6.5,
/// validation 7.2.3). Throws InvalidArgument (a keyword's value of the wrong type), Unsupported (a known keyword that
/// cannot be enforced), both with the keyword and `place`, which is a JSON pointer.
Shape read_shape(const Json& schema, const std::string& place, std::vector<Grammar::Annotation>& ignored);

/// Shapes of which a value of the types `of` fits one if, and only if, it does not fit `shape`, whose `values`, if any,
/// are those alone that fit the rest of it. `by`: the keyword at `place` that demands it. Throws Unsupported (what can
/// be said but not denied), with both.
std::vector<Shape> negate(const Shape& shape, Types of, std::string_view by, const std::string& place);

/// What both say; takes the time of `b` alone where it says nothing of all properties. Throws Unsupported where they
/// cannot be told as one.
Shape merge(Shape a, const Shape& b, const std::string& place);

/// A schema that says what both say.
Json both_schemas(const Json& a, const Json& b);

}  // namespace caravel::grammar
