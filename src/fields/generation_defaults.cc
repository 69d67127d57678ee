#include "fields/generation_defaults.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/overloaded.h"
#include "fields/fields.h"
#include "fields/sampling.h"

namespace caravel {
namespace {

using D = GenerationDefaults;

/// The rows whose defaults can be said, each once.
std::vector<const RequestField*> fields_with_defaults(Surface surface) {
  std::vector<const RequestField*> fields;
  for (const RequestField& field : request_fields()) {
    const bool can_be_said = !std::holds_alternative<std::monostate>(field.model);
    if (can_be_said && field.surfaces.has(surface)) fields.push_back(&field);
  }
  return fields;
}

}  // namespace

std::optional<double> said(const GenerationDefaults& defaults, const RequestField& field) {
  const Overloaded get = {[](std::monostate) -> std::optional<double> { return std::nullopt; },
                          [&](auto D::*member) -> std::optional<double> { return defaults.*member; }};
  return std::visit(get, field.model);
}

GenerationDefaults first_said(const GenerationDefaults& first, const GenerationDefaults& then) {
  GenerationDefaults all = first;
  if (all.end_of_generation_ids.empty()) all.end_of_generation_ids = then.end_of_generation_ids;
  for (const RequestField* field : fields_with_defaults(Surface::kChat)) {
    const Overloaded fill = {[](std::monostate) {},
                             [&](auto D::*member) {
                               if (!(all.*member)) all.*member = then.*member;
                             }};
    std::visit(fill, field->model);
  }
  return all;
}

GenerationDefaults parse_generation_defaults(const Json& object) {
  GenerationDefaults defaults;
  bool greedy = false;
  const std::vector<const RequestField*> fields = fields_with_defaults(Surface::kChat);
  for (const auto& entry : as_object(object, "").get_ref<const Json::object_t&>()) {
    const std::string& key = entry.first;
    const Json& value = entry.second;
    if (key == "do_sample") {
      greedy = !as_boolean(value, key);
      continue;
    }
    const std::string_view name = key == "max_new_tokens" ? "max_tokens" : std::string_view(key);
    const auto found = std::ranges::find(fields, name, &RequestField::name);
    if (found == fields.end()) {
      std::vector<std::string_view> names;
      for (const RequestField* field : fields) names.push_back(field->name);
      throw FieldError(key, "unknown_parameter",
                       fmt::format("Unknown parameter: '{}'. There are {}, max_new_tokens and do_sample.", key,
                                   fmt::join(names, ", ")));
    }
    const NumberRange& range = (*found)->range;
    const Overloaded set = {
        [](std::monostate) {},
        [&](std::optional<int> D::*member) {
          const auto low = static_cast<int64_t>(range.low);
          defaults.*member = static_cast<int>(as_integer(value, key, low, static_cast<int64_t>(range.high)));
        },
        [&](std::optional<float> D::*member) { defaults.*member = static_cast<float>(as_number(value, key, range)); }};
    if (!value.is_null()) std::visit(set, (*found)->model);
  }
  if (greedy) defaults.temperature = 0.0F;  // whatever temperature stands beside it
  return defaults;
}

std::vector<DefaultParameter> default_parameters(const GenerationDefaults& defaults, Surface surface) {
  SamplingParams params;
  resolve_sampling(params, defaults, default_sampling(surface));
  std::vector<DefaultParameter> parameters;
  for (const RequestField* field : fields_with_defaults(surface)) {
    if (const auto* const integer = std::get_if<std::optional<int> SamplingParams::*>(&field->member)) {
      parameters.push_back({.field = field, .value = static_cast<double>(*(params.**integer))});
    } else if (const auto* const number = std::get_if<std::optional<float> SamplingParams::*>(&field->member)) {
      parameters.push_back({.field = field, .value = as_written(*(params.**number))});
    }
  }
  return parameters;
}

}  // namespace caravel
