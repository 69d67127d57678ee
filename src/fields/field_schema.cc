#include "fields/field_schema.h"

#include <utility>

namespace caravel {
namespace {

Json number(double value, bool integer) {
  return integer ? Json(static_cast<int64_t>(value)) : Json(as_written(static_cast<float>(value)));
}

void add_range(Json& schema, const NumberRange& range, bool integer) {
  constexpr NumberRange kAny;
  if (range.low != kAny.low) schema[range.above ? "exclusiveMinimum" : "minimum"] = number(range.low, integer);
  if (range.high != kAny.high) schema["maximum"] = number(range.high, integer);
}

Json texts(size_t max_items) {
  Json schema = {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}};
  if (max_items != std::numeric_limits<size_t>::max()) schema["maxItems"] = max_items;
  return schema;
}

Json logit_bias(const NumberRange& range) {
  Json bias = {{"type", "number"}};
  add_range(bias, range, false);
  return {{"type", "object"}, {"propertyNames", {{"pattern", "^[0-9]+$"}}}, {"additionalProperties", std::move(bias)}};
}

/// A value, not yet null.
Json value_schema(const RequestField& field, Surface surface) {
  switch (field.type) {
    case FieldType::kJson: {
      Json schema = field.schema.empty() ? Json::object() : Json::parse(field.schema);
      add_range(schema, field.range_on(surface), true);
      return schema;
    }
    case FieldType::kBoolean:
      return {{"type", "boolean"}};
    case FieldType::kInteger:
    case FieldType::kNumber: {
      const bool integer = field.type == FieldType::kInteger;
      Json schema = {{"type", integer ? "integer" : "number"}};
      add_range(schema, field.range_on(surface), integer);
      return schema;
    }
    case FieldType::kSeed:
      return {{"type", "integer"}, {"format", "int64"}};
    case FieldType::kText:
      return {{"type", "string"}};
    case FieldType::kTexts:
      return texts(field.max_items_on(surface));
    case FieldType::kTextOrTexts:
      return {{"anyOf", Json::array({{{"type", "string"}, {"minLength", 1}}, texts(field.max_items_on(surface))})}};
    case FieldType::kTokenIds:
      return {{"$ref", "#/components/schemas/TokenIdsOrNull"}};
    case FieldType::kLogitBias:
      return logit_bias(field.range_on(surface));
  }
  return Json::object();
}

/// What the surface takes where the field is absent, unless the model may say something else.
std::optional<Json> schema_default(const RequestField& field, Surface surface) {
  const std::optional<double> value = field.default_on(surface);
  if (!value || *value == kMostInt || !std::holds_alternative<std::monostate>(field.model)) return std::nullopt;
  return field.type == FieldType::kBoolean ? Json(*value != 0) : number(*value, field.type == FieldType::kInteger);
}

}  // namespace

Json field_schema(const RequestField& field, Surface surface) {
  Json schema = value_schema(field, surface);
  if (field.type != FieldType::kJson && !field.required.has(surface)) {
    if (schema.contains("type")) {
      schema["type"] = {schema["type"], "null"};
    } else if (schema.contains("anyOf")) {
      schema["anyOf"].push_back({{"type", "null"}});
    }
  }
  if (const auto value = schema_default(field, surface)) schema["default"] = *value;
  if (!field.help.empty()) schema["description"] = field.help;
  return schema;
}

Json request_schema(Surface surface) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const RequestField& field : request_fields()) {
    const bool served = field.use != FieldUse::kRefused || !field.schema.empty();  // or has a harmless value
    if (!field.surfaces.has(surface) || !served) continue;
    if (!field.is_inner()) {
      properties[std::string(field.name)] = field_schema(field, surface);
    } else if (field.use == FieldUse::kRead) {  // stands after its object
      properties[std::string(field.outer())]["properties"][std::string(field.own_name())] =
          field_schema(field, surface);
    }
    if (field.required.has(surface)) required.push_back(field.name);
  }
  Json schema = {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", {{"type", "null"}}}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace caravel
