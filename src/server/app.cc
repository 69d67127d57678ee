#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <utility>

#include "base/log.h"
#include "server/cors.h"
#include "server/endpoint/api_error.h"
#include "server/endpoint/engine_work.h"
#include "server/error_answer.h"
#include "server/gate.h"
#include "server/request_log.h"
#include "server/routes.h"
#include "server/serve.h"

namespace caravel::server {
namespace {

class AppImpl final : public App {
 public:
  AppImpl(Engine& engine, const ServeConfig& config);

  uint16_t port() const override { return server_->port(); }
  bool drain() override;

 private:
  metrics::HttpFigures http_figures() const;
  bool draining() const;
  std::optional<http::Response> gate(const http::Request& head);
  std::unique_ptr<http::Work> handle(const http::Request& request, const http::Wake& wake);
  std::unique_ptr<http::Work> answer(const Call& call) const;
  std::shared_ptr<Exchange> make_exchange(const http::Request& request) const;
  void ended(const Exchange& exchange);

  const ServeConfig config_;  // its limits within the engine's plan
  const Gate gate_;
  const Cors cors_;
  const std::unique_ptr<metrics::Recorder> recorder_;
  Services services_;
  std::atomic<const http::Server*> listening_{nullptr};  // requests may come before listen() is back
  std::unique_ptr<http::Server> server_;                 // last: its threads use all of the above
};

/// What requests may call the model.
std::vector<std::string> model_names(const Engine& engine, const ServeConfig& config) {
  if (!config.served_model_names.empty()) return config.served_model_names;
  return {engine.model().name};
}

/// What a byte of a body becomes at most until the engine has the request: measured, a text without a space on its way
/// to tokens.
constexpr int64_t kBodyFactor = 48;

ServeConfig within_plan(ServeConfig config, const MemoryPlan& plan) {
  if (plan.bodies == 0) return config;  // an engine that keeps no such books
  config.http.bodies = Budget(plan.bodies);
  // As it was read it takes up to twice its length.
  config.http.max_body_bytes =
      std::min(config.http.max_body_bytes, static_cast<size_t>(plan.bodies / (kBodyFactor + 2)));
  return config;
}

/// Memory for what a body becomes. Throws ApiError 429 where others leave too little.
Budget::Part hold_body(const http::Request& request, const Budget& bodies) {
  Budget::Part part = bodies.part();
  if (!part.resize(static_cast<int64_t>(request.body.size()) * kBodyFactor)) {
    throw ApiError(429, "rate_limit_error",
                   "The memory for the bodies of requests is taken by others that are being read. Try again later.",
                   std::nullopt, "rate_limit_exceeded");
  }
  return part;
}

AppImpl::AppImpl(Engine& engine, const ServeConfig& config)
    : config_(within_plan(config, engine.model().memory)),
      gate_(config_),
      cors_(config_.allowed_origins),
      recorder_(metrics::Recorder::make(engine, model_names(engine, config_).front(), config_.vllm_metric_names)),
      services_{.engine = engine,
                .config = config_,
                .model_names = model_names(engine, config_),
                .renderer = chat::Renderer(engine.tokenizer(), engine.model()),
                .recorder = *recorder_,
                .stall = StallWatch(config_.stall_timeout),
                .http_figures = [this] { return http_figures(); },
                .draining = [this] { return draining(); }} {
  if (config_.api_keys.empty() && !is_loopback(config_.http.host)) {
    log::warn("{} may be reached from other machines, and no key is asked for: give --api-key or --api-key-file",
              config_.http.host);
  }
  server_ = http::Server::listen(
      config_.http, [this](const http::Request& request, const http::Wake& wake) { return handle(request, wake); },
      [this](const http::Request& head) { return gate(head); });
  listening_ = server_.get();
}

metrics::HttpFigures AppImpl::http_figures() const {
  const http::Server* server = listening_;
  if (server == nullptr) return {};
  const http::ServerStats stats = server->stats();
  return {.connections = stats.connections,
          .accepted = stats.accepted,
          .dropped_slow_readers = stats.dropped_slow_readers,
          .bad_requests = stats.bad_requests};
}

bool AppImpl::draining() const {
  const http::Server* server = listening_;
  return server != nullptr && server->draining();
}

bool AppImpl::drain() { return server_->drain(config_.drain_timeout); }

std::shared_ptr<Exchange> AppImpl::make_exchange(const http::Request& request) const {
  const Route* route = find_route(request.method, request.path);
  auto exchange = std::make_shared<Exchange>();
  exchange->id = request.id;
  exchange->peer = request.peer;
  exchange->method = request.method;
  exchange->path = request.path;
  exchange->endpoint = route != nullptr ? route->path : "other";
  if (config_.log_prompts) exchange->body = request.body;
  exchange->headers.add("X-Request-Id", request.id);
  exchange->headers.add("X-Content-Type-Options", "nosniff");
  cors_.add_headers(request, exchange->headers);
  return exchange;
}

void AppImpl::ended(const Exchange& exchange) {
  recorder_->answered(exchange.endpoint, exchange.outcome(), seconds_since(exchange.start));
  if (!config_.log_requests) return;
  log::show(request_line(exchange, config_.log_format, std::chrono::system_clock::now()) + "\n");
}

std::optional<http::Response> AppImpl::gate(const http::Request& head) {
  std::optional<http::Response> refusal = gate_.refuse(head, draining());
  if (!refusal) return std::nullopt;
  const std::shared_ptr<Exchange> exchange = make_exchange(head);
  exchange->status = refusal->status;
  exchange->complete = true;
  for (const auto& [name, value] : exchange->headers.fields()) refusal->headers.add(name, value);
  ended(*exchange);
  return refusal;
}

std::unique_ptr<http::Work> AppImpl::handle(const http::Request& request, const http::Wake& wake) {
  const std::shared_ptr<Exchange> exchange = make_exchange(request);
  std::unique_ptr<http::Work> work;
  try {
    services_.stall.stalled(services_.engine.stats());
    const Budget::Part body = hold_body(request, config_.http.bodies);
    const Call call{.services = services_, .request = request, .wake = wake, .exchange = exchange};
    if (!request.body.empty()) admit(call, 1);  // what is asked for without a body needs no preparation
    work = answer(call);
  } catch (const std::exception& error) {
    if (as_api_error(error).status >= 500) log::error("request {} failed: {}", request.id, error.what());
    work = http::ready(error_answer(request.path, error));
  }
  return watch(exchange, std::move(work), [this](const Exchange& over) { ended(over); });
}

std::unique_ptr<http::Work> AppImpl::answer(const Call& call) const {
  const http::Request& request = call.request;
  if (const Route* route = find_route(request.method, request.path)) return route->endpoint(call);
  const std::string methods = allowed_methods(request.path);
  // A page with a slash behind it, as people write it.
  const std::string shorter = request.path.substr(0, request.path.find_last_not_of('/') + 1);
  if (const Route* const route = find_route(request.method, shorter);
      methods.empty() && route && route->method == "GET") {
    http::Response response{.status = 308, .headers = {}, .body = {}};
    response.headers.add("Location", shorter);
    return http::ready(std::move(response));
  }
  if (methods.empty()) {
    const std::string hint = path_hint(request.path);
    throw ApiError(404, "invalid_request_error",
                   fmt::format("Invalid URL ({} {}){}{}", request.method, request.path, hint.empty() ? "" : ". ", hint),
                   std::nullopt, "unknown_url");
  }
  if (Cors::is_preflight(request)) return http::ready(cors_.answer_preflight(request, methods));
  http::Response response{.status = 204, .headers = {}, .body = {}};
  if (request.method != "OPTIONS") {
    response = error_answer(
        request.path, ApiError(405, "invalid_request_error",
                               fmt::format("Not allowed to {} on {} (HINT: {})", request.method, request.path, methods),
                               std::nullopt, "method_not_allowed"));
  }
  response.headers.add("Allow", methods);
  return http::ready(std::move(response));
}

}  // namespace

std::unique_ptr<App> App::start(Engine& engine, const ServeConfig& config) {
  return std::make_unique<AppImpl>(engine, config);
}

}  // namespace caravel::server
