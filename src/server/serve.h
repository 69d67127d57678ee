#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "caravel/engine.h"
#include "http/http.h"

namespace caravel::server {

/// What the server is started with, beside the engine.
struct ServeConfig {
  http::ServerConfig http;
  std::vector<std::string> served_model_names;  // the first is what /v1/models shows; empty: the model's own name
  std::vector<std::string> api_keys;            // empty: none is asked for
  std::vector<std::string> allowed_origins;     // CORS; empty: none, "*": any
  bool prefix_cache_per_key = false;            // else all share the blocks of equal prompts
  int max_waiting_requests = 256;  // prepared, or before their first token; more are answered 429 with Retry-After
  int64_t max_answer_bytes = 256 << 20;       // text of one answer's log-probabilities; more are not begun (400)
  std::chrono::seconds request_timeout{600};  // one that takes longer is cancelled
  std::chrono::seconds stall_timeout{30};     // work to do and no step for so long: /health fails
  std::chrono::seconds drain_timeout{300};    // after SIGTERM
  std::vector<std::string> allowed_hosts;     // Host headers to take beside the loopback names
  bool vllm_metric_names = false;             // vllm: families instead of caravel:
  log::Format log_format = log::Format::kText;
  bool log_requests = true;  // a line on stderr for each
  bool log_prompts = false;  // with the request's body in it
};

/// The OpenAI-compatible server on an engine. Any thread may call any method.
class App {
 public:
  /// Listens from here on. `engine` must outlive it. Throws as http::Server::listen does.
  static std::unique_ptr<App> start(Engine& engine, const ServeConfig& config);
  virtual ~App() = default;
  virtual uint16_t port() const = 0;
  /// New requests are answered 503; returns when running ones are complete, or after the drain timeout (false).
  virtual bool drain() = 0;
};

}  // namespace caravel::server
