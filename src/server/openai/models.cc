#include <ctime>
#include <limits>

#include "fields/generation_defaults.h"
#include "server/endpoint/json_response.h"
#include "server/endpoint/model_name.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

constexpr std::string_view kPath = "/v1/models";

/// What requests draw with that say nothing of it; a max_tokens of null: what the context leaves.
Json default_parameters_json(const GenerationDefaults& defaults) {
  Json json = Json::object();
  for (const auto& [field, value] : default_parameters(defaults, Surface::kChat)) {
    const bool integer = field->type == FieldType::kInteger;
    const bool is_open = integer && value == std::numeric_limits<int>::max();
    json[std::string(field->name)] = is_open ? Json() : integer ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  return json;
}

Json model_json(const Services& services, const std::string& name) {
  // The models have been there since the server has.
  static const std::time_t kStarted = std::time(nullptr);
  Json json = {{"id", name},
               {"object", "model"},
               {"created", static_cast<int64_t>(kStarted)},
               {"owned_by", "caravel"},
               {"root", services.engine.model().name},
               {"parent", nullptr},
               {"max_model_len", services.engine.model().max_model_len}};
  if (!is_encoder(services.engine.model())) {
    json["default_sampling_params"] = default_parameters_json(services.engine.generation_defaults());
  }
  return json;
}

Json models_json(const Services& services, std::string_view path) {
  if (path.starts_with(kPath)) path.remove_prefix(kPath.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) {
    Json data = Json::array();
    for (const std::string& name : services.model_names) data.push_back(model_json(services, name));
    return {{"object", "list"}, {"data", std::move(data)}};
  }
  const std::string name(path);
  check_model(name, services);
  return model_json(services, name);
}

}  // namespace

std::unique_ptr<http::Work> models(const Call& call) {
  return http::ready(json_response(to_text(models_json(call.services, call.request.path))));
}

}  // namespace caravel::server::openai
