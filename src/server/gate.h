#pragma once

#include <optional>

#include "http/http.h"
#include "server/api_keys.h"
#include "server/cors.h"
#include "server/host_check.h"
#include "server/serve.h"

namespace caravel::server {

/// Who may come in, by the head of a request alone: before its body is read. Any thread.
class Gate {
 public:
  explicit Gate(const ServeConfig& config)
      : keys_(config.api_keys), hosts_(config.http.host, config.allowed_hosts), cors_(config.allowed_origins) {}

  /// 403 for a Host that is not ours and for another site's page, 503 where the server is draining, 401 without a key
  /// where one is needed, 415 for a body that is not plain JSON; nothing: come in.
  std::optional<http::Response> refuse(const http::Request& head, bool draining) const;

 private:
  ApiKeys keys_;
  HostCheck hosts_;
  Cors cors_;
};

}  // namespace caravel::server
