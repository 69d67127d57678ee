// The schemas of requests, from the table of fields, and those of answers, as one JSON text.
#include <utility>

#include "fields/field_schema.h"
#include "server/openapi.h"

namespace caravel::server {
namespace {

struct Request {
  const char* name;
  Surface surface;
  const char* more = "{}";  // what the table of fields does not say
};

constexpr Request kRequests[] = {
    {.name = "CompletionRequest",
     .surface = Surface::kCompletions,
     .more = R"({"anyOf": [{"required": ["prompt"]}, {"required": ["prompt_components"]}]})"},
    {.name = "ChatCompletionRequest",
     .surface = Surface::kChat,
     .more = R"({"anyOf": [{"required": ["messages"]}, {"required": ["prompt_components"]}]})"},
    {.name = "ResponseRequest", .surface = Surface::kResponses},
    {.name = "MessageRequest", .surface = Surface::kMessages},
    {.name = "CountTokensRequest", .surface = Surface::kCountTokens},
    {.name = "EmbeddingRequest", .surface = Surface::kEmbeddings},
    {.name = "ScoreRequest", .surface = Surface::kScore},
    {.name = "TokenizeRequest",
     .surface = Surface::kTokenize,
     .more = R"({"oneOf": [{"required": ["prompt"]}, {"required": ["messages"]}]})"},
    {.name = "DetokenizeRequest", .surface = Surface::kDetokenize},
};

constexpr const char* kAnswers = R"json({
"TokenId": {"type": "integer", "minimum": 0, "maximum": 2147483647},
"TokenIds": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/TokenId"}},
"TokenIdsOrNull": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/TokenId"}},
"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object",
  "required": ["message", "type"], "properties": {
    "message": {"type": "string"}, "type": {"type": "string"},
    "param": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]}}}}},
"Usage": {"type": "object", "properties": {
  "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"},
  "prompt_tokens_details": {"type": ["object", "null"], "properties": {"cached_tokens": {"type": "integer"}}}}},
"Tool": {"type": "object", "required": ["type", "function"], "properties": {
  "type": {"const": "function"},
  "function": {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "description": {"type": ["string", "null"]},
    "parameters": {"type": ["object", "null"], "additionalProperties": true},
    "strict": {"type": ["boolean", "null"]}}}}},
"ToolCall": {"type": "object", "required": ["function"], "properties": {
  "index": {"type": "integer"}, "id": {"type": "string"}, "type": {"const": "function"},
  "function": {"type": "object", "properties": {"name": {"type": "string"}, "arguments": {"type": "string"}}}}},
"ChatMessage": {"type": "object", "required": ["role"], "properties": {
  "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
  "content": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {"type": "object",
    "required": ["type", "text"], "properties": {
      "type": {"enum": ["text", "input_text", "output_text"]}, "text": {"type": "string"}}}}]},
  "name": {"type": ["string", "null"]},
  "tool_call_id": {"type": ["string", "null"]},
  "tool_calls": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/ToolCall"}}}},
"Completion": {"type": "object", "required": ["id", "object", "created", "model", "choices"], "properties": {
  "id": {"type": "string"}, "object": {"const": "text_completion"}, "created": {"type": "integer"},
  "model": {"type": "string"}, "system_fingerprint": {"type": ["string", "null"]},
  "choices": {"type": "array", "items": {"type": "object", "required": ["index", "text"], "properties": {
    "index": {"type": "integer"}, "text": {"type": "string"},
    "logprobs": {"type": ["object", "null"], "additionalProperties": true},
    "finish_reason": {"type": ["string", "null"]},
    "stop_reason": {"type": ["string", "integer", "null"]},
    "token_ids": {"type": ["array", "null"], "items": {"type": "integer"}}}}},
  "usage": {"anyOf": [{"$ref": "#/components/schemas/Usage"}, {"type": "null"}]}}},
"ChatCompletion": {"type": "object", "required": ["id", "object", "created", "model", "choices"], "properties": {
  "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"},
  "model": {"type": "string"}, "system_fingerprint": {"type": ["string", "null"]},
  "choices": {"type": "array", "items": {"type": "object", "required": ["index", "message", "finish_reason"],
    "properties": {"index": {"type": "integer"}, "message": {"type": "object", "required": ["role"], "properties": {
      "role": {"const": "assistant"}, "content": {"type": ["string", "null"]},
      "reasoning_content": {"type": ["string", "null"]},
      "tool_calls": {"type": "array", "items": {"$ref": "#/components/schemas/ToolCall"}}}},
    "logprobs": {"type": ["object", "null"], "additionalProperties": true},
    "finish_reason": {"type": ["string", "null"]},
    "stop_reason": {"type": ["string", "integer", "null"]}}}},
  "usage": {"$ref": "#/components/schemas/Usage"}}},
"ChatCompletionChunk": {"type": "object", "required": ["id", "object", "created", "model", "choices"], "properties": {
  "id": {"type": "string"}, "object": {"const": "chat.completion.chunk"}, "created": {"type": "integer"},
  "model": {"type": "string"}, "system_fingerprint": {"type": ["string", "null"]},
  "choices": {"type": "array", "items": {"type": "object", "required": ["index", "delta"], "properties": {
    "index": {"type": "integer"}, "delta": {"type": "object", "additionalProperties": true},
    "finish_reason": {"type": ["string", "null"]}}}},
  "usage": {"anyOf": [{"$ref": "#/components/schemas/Usage"}, {"type": "null"}]}}},
"Response": {"type": "object", "required": ["id", "object", "output"], "additionalProperties": true, "properties": {
  "id": {"type": "string"}, "object": {"const": "response"},
  "output": {"type": "array", "items": {"type": "object", "additionalProperties": true}}}},
"ResponseEvent": {"type": "object", "required": ["type"], "additionalProperties": true,
  "properties": {"type": {"type": "string"}}},
"Message": {"type": "object", "required": ["id", "type", "role", "content"], "additionalProperties": true, "properties": {
  "id": {"type": "string"}, "type": {"const": "message"}, "role": {"const": "assistant"},
  "content": {"type": "array", "items": {"type": "object", "required": ["type"], "additionalProperties": true}},
  "stop_reason": {"type": ["string", "null"]}, "stop_sequence": {"type": ["string", "null"]},
  "usage": {"type": "object", "additionalProperties": true}}},
"MessageEvent": {"type": "object", "required": ["type"], "additionalProperties": true,
  "properties": {"type": {"type": "string"}}},
"TokenCount": {"type": "object", "required": ["input_tokens"], "properties": {"input_tokens": {"type": "integer"}}},
"EmbeddingList": {"type": "object", "required": ["object", "data", "model"], "properties": {
  "object": {"const": "list"}, "model": {"type": "string"},
  "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", "embedding"], "properties": {
    "object": {"const": "embedding"}, "index": {"type": "integer"},
    "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]}}}},
  "usage": {"$ref": "#/components/schemas/Usage"}}},
"Model": {"type": "object", "required": ["id", "object"], "additionalProperties": true, "properties": {
  "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"},
  "owned_by": {"type": "string"}, "max_model_len": {"type": "integer"},
  "default_sampling_params": {"type": "object", "additionalProperties": {"type": ["number", "null"]}}}},
"ModelList": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}}},
"ScoreList": {"type": "object", "required": ["id", "object", "created", "model", "data", "usage"], "properties": {
  "id": {"type": "string"}, "object": {"const": "list"}, "created": {"type": "integer"}, "model": {"type": "string"},
  "data": {"type": "array", "items": {"type": "object",
    "required": ["object", "index", "logprob", "is_greedy", "tokens", "token_ids", "token_logprobs"], "properties": {
      "object": {"const": "score"}, "index": {"type": "integer"},
      "logprob": {"type": ["number", "null"], "description": "The sum of token_logprobs"},
      "is_greedy": {"type": "boolean", "description": "Each token is the most likely one at its place"},
      "tokens": {"type": "array", "items": {"type": "string"}},
      "token_ids": {"type": "array", "items": {"type": "integer"}},
      "token_logprobs": {"type": "array", "items": {"type": ["number", "null"]}}}}},
  "usage": {"$ref": "#/components/schemas/Usage"}}},
"TokenizeResponse": {"type": "object", "required": ["count", "max_model_len", "tokens"], "properties": {
  "count": {"type": "integer"}, "max_model_len": {"type": "integer"},
  "tokens": {"type": "array", "items": {"type": "integer"}},
  "token_strs": {"type": ["array", "null"], "items": {"type": "string"}}}},
"DetokenizeResponse": {"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}},
"Health": {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
"Version": {"type": "object", "required": ["version"], "properties": {"version": {"type": "string"}}},
"OpenApi": {"type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": true}
})json";

}  // namespace

Json openapi_schemas() {
  Json schemas = Json::parse(kAnswers);
  for (const Request& request : kRequests) {
    Json schema = request_schema(request.surface);
    schema.update(Json::parse(request.more));
    schemas[request.name] = std::move(schema);
  }
  return schemas;
}

}  // namespace caravel::server
