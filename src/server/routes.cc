#include "server/routes.h"

#include "server/openai/endpoints.h"
#include "server/openapi.h"
#include "server/pages.h"
#include "server/score.h"
#include "server/status.h"
#include "server/tokenize.h"
#include "server/web/dashboard_feed.h"

namespace caravel::server {
namespace {

using http::Request;
using http::Wake;
using http::Work;

constexpr bool kFree = false;
constexpr bool kNeedsKey = true;

template <std::unique_ptr<Work> (*endpoint)(const openai::Context&, const Request&, const Wake&)>
std::unique_ptr<Work> with_context(Services& services, const Request& request, const Wake& wake) {
  return endpoint(services.context, request, wake);
}

/// Answers at once.
template <http::Response (*endpoint)(Services&, const Request&)>
std::unique_ptr<Work> at_once(Services& services, const Request& request, const Wake& /*wake*/) {
  return http::ready(endpoint(services, request));
}

std::unique_ptr<Work> dashboard_events(Services& services, const Request& /*request*/, const Wake& /*wake*/) {
  return web::dashboard_events(services.context.engine, services.draining);
}

// As vLLM has it, what probes and scrapers ask for is free of the key; so are the pages, whose calls then need it.
constexpr Route kRoutes[] = {
    {"POST", "/v1/completions", kNeedsKey, with_context<openai::completions>},
    {"POST", "/v1/chat/completions", kNeedsKey, with_context<openai::chat_completions>},
    {"POST", "/v1/responses", kNeedsKey, with_context<openai::responses>},
    {"POST", "/v1/messages", kNeedsKey, with_context<openai::messages>},
    {"POST", "/v1/messages/count_tokens", kNeedsKey, with_context<openai::count_message_tokens>},
    {"POST", "/v1/embeddings", kNeedsKey, with_context<openai::embeddings>},
    {"GET", "/v1/models", kNeedsKey, with_context<openai::models>},
    {"GET", "/v1/models/{id}", kNeedsKey, with_context<openai::models>},
    {"POST", "/v1/score", kNeedsKey, at_once<score>},
    {"POST", "/tokenize", kNeedsKey, at_once<tokenize>},
    {"POST", "/detokenize", kNeedsKey, at_once<detokenize>},
    {"GET", "/health", kFree, at_once<health>},
    {"GET", "/ping", kFree, at_once<ping>},
    {"POST", "/ping", kFree, at_once<ping>},
    {"GET", "/version", kFree, at_once<version>},
    {"GET", "/metrics", kFree, at_once<metrics_text>},
    {"GET", "/openapi.json", kFree, at_once<openapi_json>},
    {"GET", "/", kFree, at_once<page>},
    {"GET", "/dashboard", kFree, at_once<page>},
    {"GET", "/dashboard/events", kNeedsKey, dashboard_events},
    {"GET", "/web/{id}", kFree, at_once<page>},
};

bool matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with("{id}")) return pattern == path;
  pattern.remove_suffix(4);
  return path.size() > pattern.size() && path.starts_with(pattern);
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

const Route* find_route(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  for (const Route& route : kRoutes) {
    if (route.method == method && matches(route.path, path)) return &route;
  }
  return nullptr;
}

std::string allowed_methods(std::string_view path) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (!matches(route.path, path)) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method;
    if (route.method == "GET") methods += ", HEAD";
  }
  if (!methods.empty()) methods += ", OPTIONS";
  return methods;
}

}  // namespace caravel::server
