#include "server/endpoint/model_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace caravel::server {

std::string parse_model(Fields& fields, const Services& services) {
  std::string name = fields.string("model").value_or(services.model_names.front());
  check_model(name, services);
  return name;
}

void check_model(const std::string& name, const Services& services) {
  if (std::ranges::find(services.model_names, name) != services.model_names.end()) return;
  throw ApiError(404, "invalid_request_error",
                 fmt::format("The model '{}' does not exist. This server has '{}'.", name,
                             fmt::join(services.model_names, "' and '")),
                 "model", "model_not_found");
}

}  // namespace caravel::server
