#include "fields/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "base/numbers.h"
#include "base/written_number.h"

namespace caravel {
namespace {

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "an integer";
    case Json::value_t::binary:
      return is_written_integer(value) ? "an integer" : "a decimal number";
    case Json::value_t::number_float:
      return "a decimal number";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "an array";
    default:
      return "an object";
  }
}

/// `kind` is "integer" or "decimal".
template <typename Value, typename Bound>
FieldError out_of_range(const Value& value, bool below, const Bound& bound, const std::string& path,
                        std::string_view kind) {
  return {path, fmt::format("{}_{}_value", kind, below ? "below_min" : "above_max"),
          fmt::format("Invalid '{}': {} {} value. Expected a value {} {}, but got {} instead.", path, kind,
                      below ? "below minimum" : "above maximum", below ? ">=" : "<=", bound, value)};
}

/// Throws where `value` is outside [low, high].
template <typename T>
void check_range(T value, T low, T high, const std::string& path, std::string_view kind) {
  const bool below = value < low;
  if (below || !(value <= high)) throw out_of_range(value, below, below ? low : high, path, kind);
}

/// Says that a field is ignored, once for each name.
void say_ignored(std::string_view name, const std::string& path) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  constexpr size_t kMostNames = 1000;  // a client may make names up
  constexpr size_t kMostBytes = 200;
  static std::mutex mutex;
  static std::set<std::string, std::less<>> said;
  {
    const std::lock_guard lock(mutex);
    if (said.size() >= kMostNames || !said.emplace(name.substr(0, kMostBytes)).second) return;
  }
  log::debug("ignored the field {}: no answer depends on it (said once for each name)",
             to_text(Json(path.substr(0, kMostBytes))));
}

}  // namespace

FieldError bad_field(const std::string& path, const std::string& message) { return {path, "invalid_value", message}; }

std::string join_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

FieldError wrong_type(const Json& value, const std::string& path, std::string_view expected) {
  if (path.empty()) {
    return FieldError(
        path, "invalid_type",
        fmt::format("Invalid request body: expected {}, but got {} instead.", expected, type_name(value)));
  }
  return FieldError(
      path, "invalid_type",
      fmt::format("Invalid type for '{}': expected {}, but got {} instead.", path, expected, type_name(value)));
}

FieldError missing_field(const std::string& path) {
  return FieldError(path, "missing_required_parameter", fmt::format("Missing required parameter: '{}'.", path));
}

FieldError unsupported_field(const std::string& path, const std::string& why) {
  return FieldError(path, "unsupported_parameter", fmt::format("Unsupported parameter: '{}': {}.", path, why));
}

bool as_boolean(const Json& value, const std::string& path) {
  if (!value.is_boolean()) throw wrong_type(value, path, "a boolean");
  return value.get<bool>();
}

int64_t as_integer(const Json& value, const std::string& path, int64_t low, int64_t high) {
  if (is_written_integer(value)) {
    const std::string digits = written_text(value);
    const bool below = digits.starts_with('-');
    throw out_of_range(digits, below, below ? low : high, path, "integer");
  }
  if (!value.is_number_integer()) throw wrong_type(value, path, "an integer");
  if (value.is_number_unsigned()) {
    const auto wide = value.get<uint64_t>();
    if (wide > static_cast<uint64_t>(high) || high < 0) {
      check_range<uint64_t>(wide, 0, static_cast<uint64_t>(std::max<int64_t>(high, 0)), path, "integer");
    }
  }
  check_range<int64_t>(value.get<int64_t>(), low, high, path, "integer");
  return value.get<int64_t>();
}

double as_number(const Json& value, const std::string& path, double low, double high) {
  return as_number(value, path, NumberRange{.low = low, .high = high});
}

double as_number(const Json& value, const std::string& path, const NumberRange& range) {
  if (!value.is_number() && !is_written_number(value)) throw wrong_type(value, path, "a decimal");
  const double number = is_written_number(value) ? nearest_double(value) : value.get<double>();
  check_range<double>(number, range.low, range.high, path, "decimal");
  if (!range.has(number)) {
    throw FieldError(
        path, "decimal_below_min_value",
        fmt::format("Invalid '{}': decimal below minimum value. Expected a value > {}, but got {} instead.", path,
                    range.low, number));
  }
  return number;
}

const std::string& as_string(const Json& value, const std::string& path) {
  if (!value.is_string()) throw wrong_type(value, path, "a string");
  return value.get_ref<const std::string&>();
}

const Json& as_array(const Json& value, const std::string& path, size_t max_items) {
  if (!value.is_array()) throw wrong_type(value, path, "an array");
  if (value.size() > max_items) {
    throw FieldError(path, "array_above_max_length",
                     fmt::format("Invalid '{}': array too long. Expected an array with maximum length {}, but got an "
                                 "array with length {} instead.",
                                 path, max_items, value.size()));
  }
  return value;
}

const Json& as_object(const Json& value, const std::string& path) {
  if (!value.is_object()) throw wrong_type(value, path, "an object");
  return value;
}

std::vector<std::string> as_strings(const Json& value, const std::string& path) {
  std::vector<std::string> list;
  for (const Json& item : as_array(value, path)) list.push_back(as_string(item, join_path(path, list.size())));
  return list;
}

std::vector<int32_t> as_token_ids(const Json& value, const std::string& path) {
  std::vector<int32_t> list;
  list.reserve(as_array(value, path).size());
  for (const Json& item : value) {
    // The path is written for what is wrong alone: prompts are long.
    const bool fine = item.is_number_unsigned() && item.get<uint64_t>() <= std::numeric_limits<int32_t>::max();
    if (!fine) as_integer(item, join_path(path, list.size()), 0, std::numeric_limits<int32_t>::max());
    list.push_back(item.get<int32_t>());
  }
  return list;
}

const std::string& as_one_of(const Json& value, const std::string& path,
                             std::initializer_list<std::string_view> names) {
  const std::string& text = as_string(value, path);
  if (std::ranges::find(names, text) != names.end()) return text;
  std::string list;
  for (const std::string_view name : names) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", name);
  throw FieldError(path, "invalid_value",
                   fmt::format("Invalid value for '{}': '{}'. Supported values are: {}.", path, text, list));
}

Fields::Fields(const Json& object, std::string path) : object_(&object), path_(std::move(path)) {
  as_object(object, path_);
}

Fields::Fields(const Json& object, Surface surface) : Fields(object) { surface_ = surface; }

Fields Fields::inner(const Json& value, std::string_view name) const {
  Fields fields(value, path(name));
  fields.surface_ = surface_;
  fields.outer_ = name;
  return fields;
}

const RequestField* Fields::row(std::string_view name) const {
  if (!surface_) return nullptr;
  if (!outer_.empty()) return find_field(fmt::format("{}.{}", outer_, name), *surface_);
  const RequestField* const field = find_field(name, *surface_);
  return field != nullptr && field->is_inner() ? nullptr : field;
}

const Json* Fields::find(std::string_view name) {
  if (surface_ && outer_.empty() && row(name) == nullptr) {
    internal::check_failed(__FILE__, __LINE__, "the table has the field", std::string(name));
  }
  known_.push_back(name);
  for (const auto& [key, value] : object_->get_ref<const Json::object_t&>()) {
    if (key == name) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

const Json& Fields::require(std::string_view name) {
  if (const Json* const value = find(name)) return *value;
  FieldError error = missing_field(path(name));
  if (!surface_ || !outer_.empty()) throw error;
  // A body that was meant for another endpoint, or whose field is misspelt, is the usual reason.
  size_t looked_at = 0;
  for (const auto& [key, value] : object_->get_ref<const Json::object_t&>()) {
    if (row(key) != nullptr) continue;
    if (const std::string hint = unknown_field_hint(key, *surface_); !hint.empty()) {
      throw FieldError(error.path, error.code, fmt::format("{} There is '{}': {}", error.what(), key, hint));
    }
    if (++looked_at == 16) break;  // a client may make names up
  }
  throw error;
}

bool Fields::boolean(std::string_view name, bool otherwise) {
  const Json* value = find(name);
  return value == nullptr ? otherwise : as_boolean(*value, path(name));
}

std::optional<int> Fields::integer(std::string_view name) {
  CARAVEL_CHECK(outer_.empty());
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const NumberRange range = row(name)->range_on(surface());
  return static_cast<int>(
      as_integer(*value, path(name), static_cast<int64_t>(range.low), static_cast<int64_t>(range.high)));
}

std::optional<std::string> Fields::string(std::string_view name) {
  const Json* value = find(name);
  return value == nullptr ? std::nullopt : std::optional(as_string(*value, path(name)));
}

Surface Fields::surface() const {
  CARAVEL_CHECK(surface_.has_value());
  return *surface_;
}

bool Fields::is_known(std::string_view name) const { return std::ranges::find(known_, name) != known_.end(); }

void Fields::refuse_unknown() const {
  for (const auto& [name, value] : object_->get_ref<const Json::object_t&>()) {
    if (value.is_null() || is_known(name)) continue;
    const RequestField* const field = row(name);
    if (field != nullptr && field->use == FieldUse::kIgnored) {
      say_ignored(name, path(name));
    } else if (field != nullptr && field->use == FieldUse::kRefused) {
      if (value != Json::parse(field->harmless)) throw unsupported_field(path(name), std::string(field->instead));
    } else {
      const std::string hint = surface_ && outer_.empty() ? unknown_field_hint(name, *surface_) : "";
      throw FieldError(path(name), "unknown_parameter",
                       fmt::format("Unknown parameter: '{}'.{}{}", path(name), hint.empty() ? "" : " ", hint));
    }
  }
}

void Fields::ignore_unknown() const {
  for (const auto& [name, value] : object_->get_ref<const Json::object_t&>()) {
    if (!value.is_null() && !is_known(name)) say_ignored(name, path(name));
  }
}

}  // namespace caravel
