#include "chat/argument_kinds.h"

#include <optional>
#include <utility>

#include "chat/json_mender.h"

namespace caravel::chat {
namespace {

constexpr int kMaxSchemaDepth = 16;  // references may go round in circles

JsonKinds bit(JsonKind kind) { return static_cast<JsonKinds>(kind); }

JsonKinds kind_named(const Json& type) {
  static constexpr std::pair<std::string_view, JsonKind> kNames[] = {
      {"string", JsonKind::kString},   {"number", JsonKind::kNumber}, {"integer", JsonKind::kNumber},
      {"boolean", JsonKind::kBoolean}, {"object", JsonKind::kObject}, {"array", JsonKind::kArray},
      {"null", JsonKind::kNull}};
  for (const auto& [name, kind] : kNames) {
    if (type == name) return bit(kind);
  }
  return 0;
}

JsonKinds kind_of_value(const Json& value) {
  if (value.is_string()) return bit(JsonKind::kString);
  if (value.is_boolean()) return bit(JsonKind::kBoolean);
  if (value.is_object()) return bit(JsonKind::kObject);
  if (value.is_array()) return bit(JsonKind::kArray);
  return bit(value.is_null() ? JsonKind::kNull : JsonKind::kNumber);
}

/// Where a reference leads within the whole schema; nullptr where it leads nowhere.
const Json* referred(const Json& whole, const Json& reference) {
  if (!reference.is_string() || !reference.get_ref<const std::string&>().starts_with('#')) return nullptr;
  try {
    const Json::json_pointer place(reference.get_ref<const std::string&>().substr(1));
    return whole.contains(place) ? &whole.at(place) : nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

JsonKinds kinds_of_schema(const Json& schema, const Json& whole, int depth) {
  JsonKinds kinds = 0;
  if (!schema.is_object() || depth > kMaxSchemaDepth) return kinds;
  for (const auto& [key, value] : schema.items()) {
    if (key == "type") {
      if (!value.is_array()) kinds |= kind_named(value);
      for (const Json& each : value.is_array() ? value : Json::array()) kinds |= kind_named(each);
    } else if (key == "anyOf" || key == "oneOf" || key == "allOf") {
      for (const Json& each : value.is_array() ? value : Json::array()) {
        kinds |= kinds_of_schema(each, whole, depth + 1);
      }
    } else if (key == "enum") {
      for (const Json& each : value.is_array() ? value : Json::array()) kinds |= kind_of_value(each);
    } else if (key == "const") {
      kinds |= kind_of_value(value);
    } else if (key == "nullable") {
      if (value == true) kinds |= bit(JsonKind::kNull);
    } else if (key == "$ref") {
      if (const Json* place = referred(whole, value)) kinds |= kinds_of_schema(*place, whole, depth + 1);
    }
  }
  return kinds;
}

/// The kind of a JSON text, by its first byte.
JsonKinds kind_of_text(char first) {
  switch (first) {
    case '"':
      return bit(JsonKind::kString);
    case '{':
      return bit(JsonKind::kObject);
    case '[':
      return bit(JsonKind::kArray);
    case 'n':
      return bit(JsonKind::kNull);
    case 't':
    case 'f':
      return bit(JsonKind::kBoolean);
    default:
      return bit(JsonKind::kNumber);
  }
}

/// The text as strict JSON; nothing where it is no one value.
std::optional<std::string> read_as_json(std::string_view text) {
  JsonMender mender;
  std::string json;
  auto status = JsonMender::Status::kMore;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (status == JsonMender::Status::kDone) {
      if (at < text.size()) return std::nullopt;
      return json;
    }
    // A space is what ends a number.
    status = mender.feed(at < text.size() ? text[at] : ' ', json);
    if (status == JsonMender::Status::kBad) return std::nullopt;
    if (status == JsonMender::Status::kEnded) return at == text.size() ? std::optional(json) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

JsonKinds argument_kinds(const Json& tools, std::string_view tool, std::string_view name) {
  for (const Json& each : tools) {
    const Json& function = each.at("function");
    if (function.at("name") != tool || !function.contains("parameters")) continue;
    const Json& schema = function.at("parameters");
    if (!schema.is_object() || !schema.contains("properties")) return 0;
    const Json& properties = schema.at("properties");
    const auto found = properties.is_object() ? properties.find(std::string(name)) : properties.end();
    return found == properties.end() ? JsonKinds{0} : kinds_of_schema(*found, schema, 0);
  }
  return 0;
}

std::string argument_json(std::string_view text, JsonKinds kinds) {
  const size_t first = text.find_first_not_of(" \n\t\r");
  if (kinds != kStringAlone && first != std::string_view::npos) {
    const size_t last = text.find_last_not_of(" \n\t\r");
    if (auto json = read_as_json(text.substr(first, last + 1 - first))) {
      const JsonKinds kind = kind_of_text(json->front());
      const bool may_be_text = kinds == 0 || (kinds & kStringAlone) != 0;
      const JsonKinds others = static_cast<JsonKinds>((kinds == 0 ? 0xFF : kinds) & ~kStringAlone);
      if (!may_be_text || (kind & others) != 0) return *std::move(json);
    }
  }
  std::string json = "\"";
  for (const char byte : text) json += json_escaped(byte);
  return json + '"';
}

}  // namespace caravel::chat
