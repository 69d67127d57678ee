#include "grammar/schema_shape.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/numbers.h"
#include "grammar/string_format.h"

namespace caravel::grammar {
namespace {

/// Leaves those of `values` that are among `others`; nothing stands for all values.
void keep_common(std::optional<Values>& values, const Values& others) {
  if (!values) {
    values = others;
    return;
  }
  values->erase_if([&](const Json& value) {
    check_interrupt();
    return !others.has(canonical_text(value));
  });
}

class ShapeReader {
 public:
  ShapeReader(const Json& schema, const std::string& place, std::vector<Grammar::Annotation>& ignored)
      : schema_(schema), place_(place), ignored_(ignored) {}

  Shape read() {
    for (const auto& [key, value] : schema_.items()) read_keyword(key, value);
    if (schema_.contains("prefixItems") && schema_.contains("items") && schema_["items"].is_array()) {
      throw fail<InvalidArgument>("'items' at {} is a list, beside 'prefixItems'", place_);
    }
    return std::move(shape_);
  }

 private:
  [[noreturn]] void wrong(const std::string& key, const char* expected) const {
    throw fail<InvalidArgument>("'{}' at {} must be {}", key, place_, expected);
  }
  [[noreturn]] void cannot(const std::string& key, const char* why = "cannot be enforced") const {
    throw fail<Unsupported>("'{}' at {} {}", key, place_, why);
  }

  int64_t count(const std::string& key, const Json& value) const {
    const Decimal decimal = is_number(value) ? decimal_of(value) : Decimal{.negative = true};
    if (!is_number(value) || decimal.negative || !decimal.fraction.empty()) wrong(key, "a whole number, 0 or more");
    if (decimal.integer.size() > 15) return std::numeric_limits<int32_t>::max();
    return parse_number<int64_t>(decimal.integer).value();
  }
  const std::string& text(const std::string& key, const Json& value) const {
    if (!value.is_string()) wrong(key, "a string");
    return value.get_ref<const std::string&>();
  }
  Decimal number(const std::string& key, const Json& value) const {
    if (!is_number(value)) wrong(key, "a number");
    return decimal_of(value);
  }
  const Json& schema(const std::string& key, const Json& value) const {
    if (!value.is_object() && !value.is_boolean()) wrong(key, "a schema: an object, true or false");
    return value;
  }
  std::vector<NamedSchema> schemas(const std::string& key, const Json& value) const {
    if (!value.is_object()) wrong(key, "an object of schemas");
    std::vector<NamedSchema> result;
    for (const auto& [name, item] : value.items()) result.push_back({name, schema(key, item)});
    return result;
  }
  std::vector<Json> schema_list(const std::string& key, const Json& value) const {
    if (!value.is_array()) wrong(key, "a list of schemas");
    std::vector<Json> result;
    for (const Json& item : value) result.push_back(schema(key, item));
    return result;
  }

  void read_type(const Json& value) {
    static const std::map<std::string, Types, std::less<>> kTypes = {
        {"null", kNull},     {"boolean", kBoolean}, {"object", kObject}, {"array", kArray},
        {"string", kString}, {"integer", kInteger}, {"number", kNumber}};
    const Json list = value.is_array() ? value : Json::array({value});
    shape_.types = 0;
    for (const Json& item : list) {
      if (item == Json("any")) {  // draft 3
        shape_.types = kAllTypes;
        continue;
      }
      const auto type = item.is_string() ? kTypes.find(item.get_ref<const std::string&>()) : kTypes.end();
      if (type == kTypes.end()) wrong("type", "one or more of null, boolean, object, array, string, integer, number");
      shape_.types |= type->second;
    }
    if (is_true("nullable")) shape_.types |= kNull;  // OpenAPI 3.0
    shape_.says_type = true;
  }

  bool is_true(const char* key) const {
    const auto found = schema_.find(key);
    return found != schema_.end() && *found == Json(true);
  }

  void read_values(Values values) {
    shape_.says_type = true;
    keep_common(shape_.values, values);
  }

  void read_keyword(const std::string& key, const Json& value) {
    // What combines and refers is read elsewhere; what describes says nothing of the value.
    static const std::set<std::string, std::less<>> kElsewhere = {
        // what combines and refers
        "$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
        "dependentSchemas", "dependentRequired", "dependencies", "$defs", "definitions", "$schema", "$id", "id",
        "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary",
        // what describes
        "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
        "contentSchema", "contentEncoding", "contentMediaType",
        // OpenAPI's: the alternatives that a discriminator tells apart are oneOf's; nullable is read with the type
        "example", "discriminator", "xml", "externalDocs", "nullable"};
    if (key == "dependentSchemas" || key == "dependentRequired" || key == "dependencies") shape_.mentions |= kObject;
    const bool draft3 = key == "disallow" || (key == "extends" && value.is_structured());
    if (draft3) return;
    if (kElsewhere.contains(key) || key.starts_with("x-")) return;
    if (key == "type") return read_type(value);
    if (key == "const") return read_values({value});
    if (key == "enum") {
      if (!value.is_array()) wrong(key, "a list");
      return read_values(Values(value.begin(), value.end()));
    }
    if (!read_number(key, value) && !read_string(key, value) && !read_object(key, value) && !read_array(key, value) &&
        !read_other(key, value)) {
      static constexpr const char* kAnyItem =
          "cannot be enforced: a grammar holds each item to a schema, and does not count those that happen to fit "
          "another; say it of 'items' or 'prefixItems'";
      static const std::map<std::string, const char*, std::less<>> kKnown = {
          {"contains", kAnyItem},
          {"minContains", kAnyItem},
          {"maxContains", kAnyItem},
          {"unevaluatedProperties",
           "cannot be enforced: what is evaluated depends on which of the schemas beside it hold; list all properties "
           "in one schema, with 'additionalProperties'"},
          {"unevaluatedItems",
           "cannot be enforced: what is evaluated depends on which of the schemas beside it hold; list all items in "
           "one schema"}};
      const auto known = kKnown.find(key);
      if (known != kKnown.end()) cannot(key, known->second);
      ignored_.push_back({key, place_});
    }
  }

  bool read_number(const std::string& key, const Json& value) {
    // Draft 4's exclusiveMinimum and exclusiveMaximum are true beside the bound.
    if (key.starts_with("exclusive") && value.is_boolean()) return true;
    if (key == "minimum" || key == "exclusiveMinimum") {
      const Bound bound{number(key, value), key != "minimum" || is_true("exclusiveMinimum")};
      if (!shape_.minimum || compare(bound.value, shape_.minimum->value) > 0 ||
          (bound.exclusive && compare(bound.value, shape_.minimum->value) == 0)) {
        shape_.minimum = bound;
      }
    } else if (key == "maximum" || key == "exclusiveMaximum") {
      const Bound bound{number(key, value), key != "maximum" || is_true("exclusiveMaximum")};
      if (!shape_.maximum || compare(bound.value, shape_.maximum->value) < 0 ||
          (bound.exclusive && compare(bound.value, shape_.maximum->value) == 0)) {
        shape_.maximum = bound;
      }
    } else if (key == "multipleOf" || key == "divisibleBy") {  // the latter is draft 3's
      const Decimal divisor = number(key, value);
      if (divisor.negative || divisor.is_zero()) wrong(key, "a number above 0");
      check_divisor(divisor, place_);
      shape_.multiple_of.push_back(divisor);
    } else {
      return false;
    }
    shape_.mentions |= kNumber;
    return true;
  }

  bool read_string(const std::string& key, const Json& value) {
    if (key == "minLength") {
      shape_.min_length = count(key, value);
    } else if (key == "maxLength") {
      shape_.max_length = count(key, value);
    } else if (key == "pattern") {
      shape_.patterns.add(text(key, value));
    } else if (key == "format") {
      return read_format(text(key, value));
    } else {
      return false;
    }
    shape_.mentions |= kString;
    return true;
  }

  bool read_format(const std::string& name) {
    if (name == "int32" || name == "int64") {
      const bool wide = name == "int64";
      read_number("minimum", wide ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int32_t>::min());
      return read_number("maximum", wide ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int32_t>::max());
    }
    if (name == "float" || name == "double") {  // how a number is held, not which it is
      shape_.mentions |= kNumber;
    } else if (string_format(name) != nullptr) {
      shape_.formats.add(name);
      shape_.mentions |= kString;
    } else {
      ignored_.push_back({"format:" + name, place_});
    }
    return true;
  }

  bool read_object(const std::string& key, const Json& value) {
    if (key == "properties") {
      for (NamedSchema& property : schemas(key, value)) shape_.properties.add(std::move(property));
      shape_.declares = !shape_.properties.empty();
      // Draft 3 says of a property itself that it is required.
      for (const auto& [name, own] : shape_.properties) {
        if (own.is_object() && own.contains("required") && own["required"] == Json(true)) {
          shape_.required.add(name);
        }
      }
    } else if (key == "patternProperties") {
      for (NamedSchema& pattern : schemas(key, value)) shape_.pattern_properties.add(std::move(pattern));
    } else if (key == "additionalProperties") {
      shape_.additional = schema(key, value);
    } else if (key == "propertyNames") {
      shape_.property_names.push_back(schema(key, value));
    } else if (key == "required") {
      if (value.is_boolean()) return true;  // draft 3's: read with the properties
      if (!value.is_array()) wrong(key, "a list of names");
      for (const Json& name : value) shape_.required.add(text(key, name));
    } else if (key == "minProperties") {
      shape_.min_properties = count(key, value);
    } else if (key == "maxProperties") {
      shape_.max_properties = count(key, value);
    } else if (key == "unevaluatedProperties" && says_all_itself()) {
      // Beside nothing that could evaluate others it is additionalProperties.
      if (!schema_.contains("additionalProperties")) shape_.additional = schema(key, value);
    } else {
      return false;
    }
    shape_.mentions |= kObject;
    return true;
  }

  bool read_array(const std::string& key, const Json& value) {
    if (key == "prefixItems" || (key == "items" && value.is_array())) {
      shape_.prefix = schema_list(key, value);
    } else if (key == "items") {
      shape_.items = schema(key, value);
    } else if (key == "additionalItems") {
      // Beside a list of items alone it says something.
      const auto items = schema_.find("items");
      if (items == schema_.end() || !items->is_array()) return true;
      shape_.items = schema(key, value);
    } else if (key == "minItems") {
      shape_.min_items = count(key, value);
    } else if (key == "maxItems") {
      shape_.max_items = count(key, value);
    } else if (key == "uniqueItems") {
      if (!value.is_boolean()) wrong(key, "true or false");
      shape_.unique = value == Json(true);
    } else if (key == "unevaluatedItems" && says_all_itself() && !schema_.contains("contains")) {
      const auto items = schema_.find("items");
      const bool open = items == schema_.end() || (items->is_array() && !schema_.contains("additionalItems"));
      if (open) shape_.items = schema(key, value);
    } else {
      return false;
    }
    shape_.mentions |= kArray;
    return true;
  }

  /// Keywords that can be enforced only where they say nothing, or everything.
  bool read_other(const std::string& key, const Json& value) {
    const bool says_nothing = value == Json(true) || value == Json::object();
    if (key == "unevaluatedProperties" || key == "unevaluatedItems") return says_nothing;
    if (key == "minContains" || key == "maxContains") return !schema_.contains("contains");
    return false;
  }

  /// No keyword beside speaks of the same object or array by another schema.
  bool says_all_itself() const {
    static constexpr std::array kOthers = {"$ref", "$dynamicRef", "$recursiveRef",    "allOf",       "anyOf", "oneOf",
                                           "not",  "if",          "dependentSchemas", "dependencies"};
    return std::ranges::none_of(kOthers, [&](const char* other) { return schema_.contains(other); });
  }

  const Json& schema_;
  const std::string& place_;
  std::vector<Grammar::Annotation>& ignored_;
  Shape shape_;
};

template <typename T, typename Better>
std::optional<T> stricter(const std::optional<T>& a, const std::optional<T>& b, Better better) {
  if (!a || !b) return a ? a : b;
  return better(*b, *a) ? b : a;
}

template <typename T>
void append_new(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& item : from) {
    if (std::ranges::find(to, item) == to.end()) to.push_back(item);
  }
}

void merge_numbers(Shape& shape, const Shape& b) {
  shape.minimum = stricter(shape.minimum, b.minimum, [](const Bound& x, const Bound& y) {
    const int order = compare(x.value, y.value);
    return order > 0 || (order == 0 && x.exclusive);
  });
  shape.maximum = stricter(shape.maximum, b.maximum, [](const Bound& x, const Bound& y) {
    const int order = compare(x.value, y.value);
    return order < 0 || (order == 0 && x.exclusive);
  });
  shape.multiple_of.insert(shape.multiple_of.end(), b.multiple_of.begin(), b.multiple_of.end());
}

bool limits_names(const Shape& shape) { return shape.additional && *shape.additional != Json(true); }
bool speaks_of_names(const Shape& shape) {
  return !shape.properties.empty() || !shape.pattern_properties.empty() || limits_names(shape);
}

/// `shape` becomes what both say.
void merge_objects(Shape& shape, const Shape& b, const std::string& place) {
  shape.required.add_all(b.required);
  append_new(shape.property_names, b.property_names);
  shape.absent.add_all(b.absent);
  shape.declares = shape.declares || b.declares;
  if (!speaks_of_names(b)) return;
  if (!speaks_of_names(shape)) {
    shape.properties = b.properties;
    shape.pattern_properties = b.pattern_properties;
    shape.additional = b.additional;
    return;
  }
  // A name that a pattern of one side has may be an additional one of the other.
  if (shape.pattern_properties != b.pattern_properties && (limits_names(shape) || limits_names(b))) {
    throw fail<Unsupported>("'patternProperties' at {} cannot be combined with another schema's additionalProperties",
                            place);
  }
  shape.pattern_properties.add_all(b.pattern_properties);
  if (b.additional) {
    for (size_t i = 0; i < shape.properties.size(); ++i) {
      check_interrupt();
      NamedSchema& own = shape.properties.at(i);
      if (!b.properties.has(own.name)) own.schema = both_schemas(own.schema, *b.additional);
    }
  }
  for (const auto& [name, schema] : b.properties) {
    const size_t before = shape.properties.size();
    const size_t at = shape.properties.add({name, schema});
    Json& own = shape.properties.at(at).schema;
    if (at < before) {
      own = both_schemas(own, schema);
    } else if (shape.additional) {
      own = both_schemas(*shape.additional, schema);
    }
  }
  if (shape.additional && b.additional) shape.additional = both_schemas(*shape.additional, *b.additional);
  if (!shape.additional) shape.additional = b.additional;
}

void merge_arrays(Shape& shape, const Shape& b) {
  const auto behind = [](const Shape& s) { return s.items.value_or(Json(true)); };
  for (size_t i = 0; i < b.prefix.size(); ++i) {
    if (i == shape.prefix.size()) shape.prefix.push_back(behind(shape));
    shape.prefix[i] = both_schemas(shape.prefix[i], b.prefix[i]);
  }
  if (b.items) {
    for (size_t i = b.prefix.size(); i < shape.prefix.size(); ++i) {
      shape.prefix[i] = both_schemas(shape.prefix[i], *b.items);
    }
  }
  if (shape.items && b.items) shape.items = both_schemas(*shape.items, *b.items);
  if (!shape.items) shape.items = b.items;
}

}  // namespace

Types type_of(const Json& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBoolean;
  if (value.is_object()) return kObject;
  if (value.is_array()) return kArray;
  if (value.is_string()) return kString;
  return decimal_of(value).fraction.empty() ? kInteger : kFraction;
}

std::string canonical_text(const Json& value) {
  check_interrupt();
  if (is_number(value)) {
    const Decimal number = decimal_of(value);
    return number.is_zero() ? "0" : number.text();
  }
  if (!value.is_structured()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, item] : value.items()) {
    parts.push_back((value.is_object() ? Json(key).dump() + ":" : "") + canonical_text(item));
  }
  if (value.is_object()) std::ranges::sort(parts);
  const std::string inner = fmt::format("{}", fmt::join(parts, ","));
  return value.is_object() ? "{" + inner + "}" : "[" + inner + "]";
}

const Json* Shape::property(std::string_view name) const {
  const NamedSchema* const found = properties.find(name);
  return found == nullptr ? nullptr : &found->schema;
}

Shape read_shape(const Json& schema, const std::string& place, std::vector<Grammar::Annotation>& ignored) {
  return ShapeReader(schema, place, ignored).read();
}

Json both_schemas(const Json& a, const Json& b) {
  if (a == b || b == Json(true)) return a;
  if (a == Json(true)) return b;
  if (a == Json(false) || b == Json(false)) return false;
  return {{"allOf", Json::array({a, b})}};
}

Shape merge(Shape shape, const Shape& b, const std::string& place) {
  shape.types &= b.types;
  shape.says_type = shape.says_type || b.says_type;
  shape.mentions |= b.mentions;
  if (b.values) keep_common(shape.values, *b.values);
  const auto less = [](int64_t x, int64_t y) { return x < y; };
  merge_numbers(shape, b);
  shape.min_length = std::max(shape.min_length, b.min_length);
  shape.max_length = stricter(shape.max_length, b.max_length, less);
  shape.excluded.add_all(b.excluded);
  shape.patterns.add_all(b.patterns);
  shape.not_patterns.add_all(b.not_patterns);
  shape.formats.add_all(b.formats);
  merge_objects(shape, b, place);
  shape.min_properties = std::max(shape.min_properties, b.min_properties);
  shape.max_properties = stricter(shape.max_properties, b.max_properties, less);
  merge_arrays(shape, b);
  shape.min_items = std::max(shape.min_items, b.min_items);
  shape.max_items = stricter(shape.max_items, b.max_items, less);
  shape.unique = shape.unique || b.unique;
  return shape;
}

}  // namespace caravel::grammar
