#include <algorithm>
#include <ctime>

#include "server/openai/endpoints.h"
#include "server/openai/request_head.h"

namespace caravel::server::openai {
namespace {

constexpr std::string_view kPath = "/v1/models";

Json model_json(const Context& context, const std::string& name) {
  // The models have been there since the server has.
  static const std::time_t kStarted = std::time(nullptr);
  return {{"id", name},
          {"object", "model"},
          {"created", static_cast<int64_t>(kStarted)},
          {"owned_by", "caravel"},
          {"root", context.engine.model().name},
          {"parent", nullptr},
          {"max_model_len", context.engine.model().max_model_len}};
}

Json answer(const Context& context, std::string_view path) {
  if (path.starts_with(kPath)) path.remove_prefix(kPath.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) {
    Json data = Json::array();
    for (const std::string& name : context.model_names) data.push_back(model_json(context, name));
    return {{"object", "list"}, {"data", std::move(data)}};
  }
  const std::string name(path);
  if (std::ranges::find(context.model_names, name) == context.model_names.end()) throw unknown_model(name);
  return model_json(context, name);
}

}  // namespace

std::unique_ptr<http::Work> models(const Context& context, const http::Request& request, const http::Wake&) {
  try {
    http::Response response{.status = 200, .headers = {}, .body = to_text(answer(context, request.path))};
    response.headers.add("Content-Type", "application/json");
    return http::ready(std::move(response));
  } catch (const std::exception& error) {
    return http::ready(error_response(error));
  }
}

}  // namespace caravel::server::openai
