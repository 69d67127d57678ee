#pragma once

#include <string>
#include <utility>

#include "http/http.h"

namespace caravel::server {

/// body: JSON, as text.
inline http::Response json_response(std::string body, int status = 200) {
  http::Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.add("Content-Type", "application/json");
  return response;
}

}  // namespace caravel::server
