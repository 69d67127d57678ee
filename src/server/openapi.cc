#include "server/openapi.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/check.h"
#include "server/endpoint/json_response.h"
#include "server/routes.h"

namespace caravel::server {
namespace {

using Json = nlohmann::ordered_json;

/// What a route's own entry does not say. Schemas are named as in openapi_schemas().
struct Operation {
  std::string_view method;
  std::string_view path;
  const char* id;
  const char* tag;
  const char* summary;
  const char* request = nullptr;  // schema; nullptr: no body
  const char* answer = nullptr;   // schema; nullptr: no JSON
  const char* content_type = "application/json";
  const char* event = nullptr;  // schema of a server-sent event's data, where the answer can be a stream
};

constexpr Operation kOperations[] = {
    {.method = "POST",
     .path = "/v1/completions",
     .id = "createCompletion",
     .tag = "OpenAI",
     .summary = "Complete a text",
     .request = "CompletionRequest",
     .answer = "Completion",
     .event = "Completion"},
    {.method = "POST",
     .path = "/v1/chat/completions",
     .id = "createChatCompletion",
     .tag = "OpenAI",
     .summary = "Answer a conversation",
     .request = "ChatCompletionRequest",
     .answer = "ChatCompletion",
     .event = "ChatCompletionChunk"},
    {.method = "POST",
     .path = "/v1/responses",
     .id = "createResponse",
     .tag = "OpenAI",
     .summary = "Answer a conversation, in the form of the Responses API; nothing is stored",
     .request = "ResponseRequest",
     .answer = "Response",
     .event = "ResponseEvent"},
    {.method = "POST",
     .path = "/v1/messages",
     .id = "createMessage",
     .tag = "Anthropic",
     .summary = "Answer a conversation, in Anthropic's form",
     .request = "MessageRequest",
     .answer = "Message",
     .event = "MessageEvent"},
    {.method = "POST",
     .path = "/v1/messages/count_tokens",
     .id = "countMessageTokens",
     .tag = "Anthropic",
     .summary = "How many tokens a conversation has",
     .request = "CountTokensRequest",
     .answer = "TokenCount"},
    {.method = "POST",
     .path = "/v1/embeddings",
     .id = "createEmbedding",
     .tag = "OpenAI",
     .summary = "Embed texts: the mean of the last hidden states",
     .request = "EmbeddingRequest",
     .answer = "EmbeddingList"},
    {.method = "GET",
     .path = "/v1/models",
     .id = "listModels",
     .tag = "OpenAI",
     .summary = "The models that are served",
     .answer = "ModelList"},
    {.method = "GET",
     .path = "/v1/models/{id}",
     .id = "retrieveModel",
     .tag = "OpenAI",
     .summary = "One of the models",
     .answer = "Model"},
    {.method = "POST",
     .path = "/v1/score",
     .id = "createScore",
     .tag = "Caravel",
     .summary = "Log-probabilities of many continuations of one prefix",
     .request = "ScoreRequest",
     .answer = "ScoreList"},
    {.method = "POST",
     .path = "/tokenize",
     .id = "tokenize",
     .tag = "vLLM",
     .summary = "The token ids of a prompt or a conversation",
     .request = "TokenizeRequest",
     .answer = "TokenizeResponse"},
    {.method = "POST",
     .path = "/detokenize",
     .id = "detokenize",
     .tag = "vLLM",
     .summary = "The text of token ids",
     .request = "DetokenizeRequest",
     .answer = "DetokenizeResponse"},
    {.method = "GET",
     .path = "/health",
     .id = "health",
     .tag = "Operation",
     .summary = "200, or 503 where the engine has work and does not move",
     .answer = "Health"},
    {.method = "GET",
     .path = "/ping",
     .id = "ping",
     .tag = "Operation",
     .summary = "The same as /health",
     .answer = "Health"},
    {.method = "POST",
     .path = "/ping",
     .id = "pingByPost",
     .tag = "Operation",
     .summary = "The same as /health",
     .answer = "Health"},
    {.method = "GET",
     .path = "/version",
     .id = "version",
     .tag = "Operation",
     .summary = "The server's version",
     .answer = "Version"},
    {.method = "GET",
     .path = "/metrics",
     .id = "metrics",
     .tag = "Operation",
     .summary = "Metrics for Prometheus",
     .content_type = "text/plain"},
    {.method = "GET",
     .path = "/openapi.json",
     .id = "openapi",
     .tag = "Operation",
     .summary = "This document",
     .answer = "OpenApi"},
    {.method = "GET",
     .path = "/",
     .id = "chatPage",
     .tag = "Pages",
     .summary = "A page to chat",
     .content_type = "text/html"},
    {.method = "GET",
     .path = "/dashboard",
     .id = "dashboardPage",
     .tag = "Pages",
     .summary = "A page that shows what the engine does",
     .content_type = "text/html"},
    {.method = "GET",
     .path = "/dashboard/events",
     .id = "dashboardEvents",
     .tag = "Pages",
     .summary = "What the dashboard draws, as server-sent events, for as long as the client stays",
     .content_type = "text/event-stream"},
    {.method = "GET",
     .path = "/web/{id}",
     .id = "pageFile",
     .tag = "Pages",
     .summary = "A file of the pages",
     .content_type = "*/*"},
};

Json reference(const char* schema) { return {{"$ref", std::string("#/components/schemas/") + schema}}; }

Json content(const char* type, const Json& schema) { return {{type, {{"schema", schema}}}}; }

Json error(const char* description) {
  return {{"description", description}, {"content", content("application/json", reference("Error"))}};
}

Json answers(const Operation& operation, const Route& route) {
  const Json schema = operation.answer != nullptr ? reference(operation.answer) : Json{{"type", "string"}};
  Json success = {{"description", "What was asked for"}, {"content", content(operation.content_type, schema)}};
  if (operation.event != nullptr) {
    success["content"]["text/event-stream"] = {
        {"schema", {{"type", "string"}, {"description", "With stream: server-sent events"}}},
        {"x-event-schema", reference(operation.event)}};
  }
  Json all = {{"200", std::move(success)}};
  if (operation.request != nullptr) {
    all["400"] = error("The request is wrong: param says where");
    all["413"] = error("The body is too large");
    all["429"] = error("Too many requests wait: Retry-After says when to come again");
  }
  if (route.needs_key) all["401"] = error("A key is needed, and is missing or wrong");
  all["403"] = error("The Host header names another site");
  if (operation.request != nullptr || operation.path.ends_with("{id}")) {
    all["404"] = error("There is no such model, or no such page");
  }
  all["500"] = error("An error of the server's");
  all["503"] = error("The server is shutting down, or its engine hangs");
  return all;
}

Json describe(const Operation& operation, const Route& route) {
  Json json = {{"operationId", operation.id}, {"tags", {operation.tag}}, {"summary", operation.summary}};
  if (route.needs_key) {
    json["security"] = Json::parse(R"([{"bearer": []}, {"apiKey": []}])");
  } else {
    json["security"] = Json::array();
  }
  if (operation.path.ends_with("{id}")) {
    json["parameters"] = Json::array(
        {{{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}, {"minLength", 1}}}}});
  }
  if (operation.request != nullptr) {
    json["requestBody"] = {{"required", true}, {"content", content("application/json", reference(operation.request))}};
  }
  json["responses"] = answers(operation, route);
  return json;
}

}  // namespace

Json openapi_document() {
  Json paths = Json::object();
  for (const Operation& operation : kOperations) {
    const Route* route = find_route(operation.method, operation.path);
    CARAVEL_CHECK(route != nullptr && route->path == operation.path);
    std::string method(operation.method);
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    paths[std::string(operation.path)][method] = describe(operation, *route);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Caravel"},
            {"version", CARAVEL_VERSION},
            {"description", "An LLM engine: OpenAI's API with vLLM's extras, and Anthropic's messages."},
            {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"servers", Json::array({{{"url", "/"}}})},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", openapi_schemas()},
            {"securitySchemes",
             {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
              {"apiKey", {{"type", "apiKey"}, {"in", "header"}, {"name", "x-api-key"}}}}}}}};
}

std::unique_ptr<http::Work> openapi_json(const Call& /*call*/) {
  static const std::string kText = openapi_document().dump();
  return http::ready(json_response(kText));
}

}  // namespace caravel::server
