// The shapes of what does not fit a shape.
#include <algorithm>

#include "base/error.h"
#include "grammar/schema_shape.h"

namespace caravel::grammar {
namespace {

class Negation {
 public:
  Negation(const Shape& shape, Types of, std::string_view by, const std::string& place)
      : shape_(shape), of_(of), by_(by), place_(place) {}

  std::vector<Shape> run() {
    if (shape_.values) {
      deny_values();
    } else {
      Shape others;
      others.types = of_ & static_cast<Types>(~shape_.types);
      if (others.types != 0) parts_.push_back(std::move(others));
      if ((common() & kNumber) != 0) deny_numbers();
      if ((common() & kString) != 0) deny_strings();
      if ((common() & kObject) != 0) deny_objects();
      if ((common() & kArray) != 0) deny_arrays();
    }
    return std::move(parts_);
  }

 private:
  Types common() const { return of_ & shape_.types; }

  [[noreturn]] void cannot(std::string_view keyword) const {
    throw fail<Unsupported>("'{}' at {} cannot be enforced: the opposite of '{}' cannot", by_, place_, keyword);
  }

  Shape& add(Types types) {
    parts_.emplace_back();
    parts_.back().types = types & common();
    return parts_.back();
  }

  void deny_values() {
    Shape rest;
    rest.types = of_;
    std::vector<Decimal> numbers;
    std::vector<Json> booleans = {false, true};
    for (const Json& value : *shape_.values) {
      const Types type = type_of(value);
      if ((type & kNumber) != 0) numbers.push_back(decimal_of(value));
      if (type == kNull) rest.types &= static_cast<Types>(~kNull);
      if (type == kBoolean) std::erase(booleans, value);
      if (type == kString) rest.excluded.add(value);
      if ((type & (kObject | kArray) & of_) != 0) cannot(type == kObject ? "const of an object" : "const of an array");
    }
    if ((of_ & kBoolean) != 0 && booleans.size() < 2) {
      rest.types &= static_cast<Types>(~kBoolean);
      Shape other;
      other.types = kBoolean;
      other.values = Values(booleans.begin(), booleans.end());
      if (!booleans.empty()) parts_.push_back(std::move(other));
    }
    if ((of_ & kNumber) != 0 && !numbers.empty()) {
      rest.types &= static_cast<Types>(~kNumber);
      deny_these(std::move(numbers));
    }
    if (rest.types != 0) parts_.push_back(std::move(rest));
  }

  /// What lies between them.
  void deny_these(std::vector<Decimal> numbers) {
    std::ranges::sort(numbers, [](const Decimal& a, const Decimal& b) { return compare(a, b) < 0; });
    for (size_t i = 0; i <= numbers.size(); ++i) {
      Shape between;
      between.types = of_ & kNumber;
      if (i > 0) between.minimum = Bound{numbers[i - 1], true};
      if (i < numbers.size()) between.maximum = Bound{numbers[i], true};
      const bool same = i > 0 && i < numbers.size() && compare(numbers[i - 1], numbers[i]) == 0;
      if (!same) parts_.push_back(std::move(between));
    }
  }

  void deny_numbers() {
    if (!shape_.multiple_of.empty()) cannot("multipleOf");
    if (shape_.minimum) add(kNumber).maximum = Bound{shape_.minimum->value, !shape_.minimum->exclusive};
    if (shape_.maximum) add(kNumber).minimum = Bound{shape_.maximum->value, !shape_.maximum->exclusive};
  }

  void deny_strings() {
    // A format is written narrower than it is read: what is left out may belong to it.
    if (!shape_.formats.empty()) cannot("format");
    if (shape_.min_length > 0) add(kString).max_length = shape_.min_length - 1;
    if (shape_.max_length) add(kString).min_length = *shape_.max_length + 1;
    for (const std::string& pattern : shape_.patterns) add(kString).not_patterns = {pattern};
    for (const std::string& pattern : shape_.not_patterns) add(kString).patterns = {pattern};
    if (!shape_.excluded.empty()) add(kString).values.emplace(shape_.excluded.begin(), shape_.excluded.end());
  }

  void deny_objects() {
    if (!shape_.pattern_properties.empty()) cannot("patternProperties");
    if (!shape_.property_names.empty()) cannot("propertyNames");
    if (shape_.additional && *shape_.additional != Json(true)) cannot("additionalProperties");
    for (const std::string& name : shape_.required) add(kObject).absent = {name};
    for (const std::string& name : shape_.absent) add(kObject).required = {name};
    for (const auto& [name, schema] : shape_.properties) {
      if (schema == Json(true) || schema == Json::object()) continue;
      Shape& part = add(kObject);
      part.required = {name};
      if (schema != Json(false)) part.properties = {{name, Json{{"not", schema}}}};
    }
    if (shape_.min_properties > 0) add(kObject).max_properties = shape_.min_properties - 1;
    if (shape_.max_properties) add(kObject).min_properties = *shape_.max_properties + 1;
  }

  void deny_arrays() {
    const auto says = [](const Json& schema) { return schema != Json(true) && schema != Json::object(); };
    if (std::ranges::any_of(shape_.prefix, says)) cannot("prefixItems");
    if (shape_.items && says(*shape_.items)) cannot("items");
    if (shape_.unique) cannot("uniqueItems");
    if (shape_.min_items > 0) add(kArray).max_items = shape_.min_items - 1;
    if (shape_.max_items) add(kArray).min_items = *shape_.max_items + 1;
  }

  const Shape& shape_;
  const Types of_;
  const std::string_view by_;
  const std::string& place_;
  std::vector<Shape> parts_;
};

}  // namespace

std::vector<Shape> negate(const Shape& shape, Types of, std::string_view by, const std::string& place) {
  return Negation(shape, of, by, place).run();
}

}  // namespace caravel::grammar
