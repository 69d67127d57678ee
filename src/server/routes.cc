#include "server/routes.h"

#include <fmt/format.h>

#include <utility>

#include "server/anthropic/endpoints.h"
#include "server/openai/endpoints.h"
#include "server/openapi.h"
#include "server/pages.h"
#include "server/score.h"
#include "server/status.h"
#include "server/tokenize.h"
#include "server/web/dashboard_feed.h"

namespace caravel::server {
namespace {

constexpr bool kFree = false;
constexpr bool kNeedsKey = true;

std::unique_ptr<http::Work> dashboard_events(const Call& call) {
  return web::dashboard_events(call.services.engine, call.services.draining);
}

// As vLLM has it, what probes and scrapers ask for is free of the key; so are the pages, whose calls then need it.
constexpr Route kRoutes[] = {
    {"POST", "/v1/completions", kNeedsKey, openai::completions},
    {"POST", "/v1/chat/completions", kNeedsKey, openai::chat_completions},
    {"POST", "/v1/responses", kNeedsKey, openai::responses},
    {"POST", "/v1/messages", kNeedsKey, anthropic::messages},
    {"POST", "/v1/messages/count_tokens", kNeedsKey, anthropic::count_message_tokens},
    {"POST", "/v1/embeddings", kNeedsKey, openai::embeddings},
    {"GET", "/v1/models", kNeedsKey, openai::models},
    {"GET", "/v1/models/{id}", kNeedsKey, openai::models},
    {"POST", "/v1/score", kNeedsKey, score},
    {"POST", "/tokenize", kNeedsKey, tokenize},
    {"POST", "/detokenize", kNeedsKey, detokenize},
    {"GET", "/health", kFree, health},
    // The name that SageMaker asks for.
    {"GET", "/ping", kFree, health},
    {"POST", "/ping", kFree, health},
    {"GET", "/version", kFree, version},
    {"GET", "/metrics", kFree, metrics_text},
    {"GET", "/openapi.json", kFree, openapi_json},
    {"GET", "/", kFree, page},
    {"GET", "/dashboard", kFree, page},
    {"GET", "/dashboard/events", kNeedsKey, dashboard_events},
    {"GET", "/web/{id}", kFree, page},
};

/// What other servers have, and where it is here.
constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
    {"/api/chat", "/v1/chat/completions"},
    {"/api/generate", "/v1/completions"},
    {"/api/tags", "/v1/models"},
    {"/api/show", "/v1/models"},
    {"/api/embed", "/v1/embeddings"},
    {"/api/embeddings", "/v1/embeddings"},
    {"/api/version", "/version"},
    {"/completion", "/v1/completions"},
    {"/props", "/v1/models"},
    {"/slots", "/metrics"},
    {"/rerank", "/v1/score"},
    {"/v1", "/v1/models"},
    {"/healthz", "/health"},
    {"/docs", "/openapi.json"},
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

std::string path_hint(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (!allowed_methods(path).empty()) return fmt::format("It is {}, without a slash at its end.", path);
  for (const auto& [other, here] : kElsewhere) {
    if (path == other) return fmt::format("What is asked for there is at {} here.", here);
  }
  // A base URL without /v1, or with it twice.
  if (const std::string longer = "/v1" + std::string(path); !allowed_methods(longer).empty()) {
    return fmt::format("It is {} here: the base URL ends in /v1.", longer);
  }
  constexpr std::string_view kBase = "/v1";
  if (path.starts_with(kBase) && !allowed_methods(path.substr(kBase.size())).empty()) {
    return fmt::format("It is {} here.", path.substr(kBase.size()));
  }
  return "";
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
