// The schemas of every request and answer, as one JSON text.
#include <string>

#include "server/openapi.h"

namespace caravel::server {
namespace {

using Json = nlohmann::ordered_json;

/// Fields that several requests share, by group.
constexpr const char* kGroups = R"json({
"head": {
  "model": {"type": ["string", "null"], "description": "One of /v1/models; the first where it is absent"},
  "stream": {"type": ["boolean", "null"], "default": false},
  "stream_options": {"type": ["object", "null"], "properties": {
    "include_usage": {"type": "boolean"},
    "continuous_usage_stats": {"type": "boolean"},
    "include_obfuscation": {"type": "boolean"}}, "additionalProperties": false},
  "return_token_ids": {"type": ["boolean", "null"], "default": false},
  "priority": {"type": ["integer", "null"], "format": "int32", "description": "Lower runs first, with --scheduling-policy priority"},
  "cache_salt": {"type": ["string", "null"], "description": "Prompts of different salts never share cached blocks"},
  "user": {"type": ["string", "null"]},
  "metadata": {"type": ["object", "null"], "additionalProperties": true},
  "store": {"type": ["boolean", "null"]},
  "service_tier": {"type": ["string", "null"]},
  "safety_identifier": {"type": ["string", "null"]},
  "prompt_cache_key": {"type": ["string", "null"]},
  "prompt_cache_retention": {"type": ["string", "null"]},
  "request_id": {"type": ["string", "null"]},
  "spaces_between_special_tokens": {"type": ["boolean", "null"]}
},
"sampling": {
  "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2, "description": "0: greedy"},
  "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
  "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 2147483647, "description": "0 or -1: off"},
  "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
  "typical_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
  "repetition_penalty": {"type": ["number", "null"], "exclusiveMinimum": 0},
  "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
  "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
  "logit_bias": {"type": ["object", "null"], "description": "Token id: added to its logit",
    "propertyNames": {"pattern": "^[0-9]+$"}, "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
  "allowed_token_ids": {"$ref": "#/components/schemas/TokenIdsOrNull"},
  "bad_words": {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}},
  "seed": {"type": ["integer", "null"], "format": "int64"},
  "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
  "stop_token_ids": {"$ref": "#/components/schemas/TokenIdsOrNull"},
  "include_stop_str_in_output": {"type": ["boolean", "null"], "default": false},
  "ignore_eos": {"type": ["boolean", "null"], "default": false},
  "skip_special_tokens": {"type": ["boolean", "null"], "default": true},
  "min_tokens": {"type": ["integer", "null"], "minimum": 0, "maximum": 2147483647}
},
"choices": {
  "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
  "best_of": {"type": ["integer", "null"], "minimum": 1, "description": "n, or absent"},
  "use_beam_search": {"type": ["boolean", "null"], "default": false},
  "beam_width": {"type": ["integer", "null"], "minimum": 0},
  "length_penalty": {"type": ["number", "null"], "default": 1},
  "early_stopping": {"type": ["boolean", "null"], "default": false},
  "truncate_prompt_tokens": {"type": ["integer", "null"], "minimum": -1, "maximum": 2147483647},
  "prompt_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 128},
  "return_tokens_as_token_ids": {"type": ["boolean", "null"], "default": false},
  "add_special_tokens": {"type": ["boolean", "null"]},
  "prompt_components": {"type": ["object", "null"], "description": "docs/prompting.md", "additionalProperties": true}
},
"grammar": {
  "response_format": {"type": ["object", "null"], "required": ["type"], "properties": {
    "type": {"enum": ["text", "json_object", "json_schema"]},
    "json_schema": {"type": "object", "additionalProperties": true}}, "additionalProperties": true},
  "structured_outputs": {"type": ["object", "null"], "description": "One of them", "properties": {
    "json": {"type": ["object", "string", "boolean", "null"], "additionalProperties": true},
    "regex": {"type": ["string", "null"]},
    "choice": {"type": ["array", "null"], "items": {"type": "string"}},
    "grammar": {"type": ["string", "null"]},
    "json_object": {"type": ["boolean", "null"]}}, "additionalProperties": true},
  "guided_json": {"type": ["object", "string", "null"], "additionalProperties": true},
  "guided_regex": {"type": ["string", "null"]},
  "guided_choice": {"type": ["array", "null"], "items": {"type": "string"}},
  "guided_grammar": {"type": ["string", "null"]}
},
"turns": {
  "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["role", "content"], "properties": {
    "role": {"enum": ["user", "assistant"]},
    "content": {"anyOf": [{"type": "string"},
      {"type": "array", "items": {"type": "object", "required": ["type"], "additionalProperties": true}}]}}}},
  "system": {"anyOf": [{"type": "string"}, {"type": "null"},
    {"type": "array", "items": {"type": "object", "required": ["type"], "additionalProperties": true}}]},
  "thinking": {"type": ["object", "null"], "required": ["type"], "additionalProperties": true},
  "chat_template_kwargs": {"type": ["object", "null"], "additionalProperties": true},
  "tools": {"type": ["array", "null"], "items": {"type": "object", "required": ["name"], "additionalProperties": true}},
  "tool_choice": {"type": ["object", "null"], "required": ["type"], "additionalProperties": true}
}
})json";

/// Requests: "groups" names the groups that their properties begin with.
constexpr const char* kRequests = R"json({
"CompletionRequest": {"groups": ["head", "sampling", "choices", "grammar"], "required": ["prompt"], "properties": {
  "prompt": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}},
    {"$ref": "#/components/schemas/TokenIds"},
    {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/TokenIds"}}]},
  "max_tokens": {"type": ["integer", "null"], "minimum": 0, "maximum": 2147483647, "default": 16},
  "echo": {"type": ["boolean", "null"], "default": false},
  "logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 128},
  "suffix": {"type": ["string", "null"], "maxLength": 0}
}},
"ChatCompletionRequest": {"groups": ["head", "sampling", "choices", "grammar"], "required": ["messages"], "properties": {
  "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ChatMessage"}},
  "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 2147483647},
  "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 2147483647},
  "logprobs": {"type": ["boolean", "null"], "default": false},
  "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
  "tools": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}},
  "tool_choice": {"anyOf": [{"enum": ["none", "auto", "required"]}, {"type": "null"},
    {"type": "object", "required": ["type", "function"], "properties": {"type": {"const": "function"},
      "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}]},
  "parallel_tool_calls": {"type": ["boolean", "null"], "default": true},
  "chat_template_kwargs": {"type": ["object", "null"], "additionalProperties": true},
  "documents": {"type": ["array", "null"], "items": {"type": "object", "additionalProperties": true}},
  "reasoning_effort": {"type": ["string", "null"]},
  "include_reasoning": {"type": ["boolean", "null"], "default": true},
  "continue_final_message": {"type": ["boolean", "null"], "default": false},
  "add_generation_prompt": {"type": ["boolean", "null"]},
  "echo": {"type": ["boolean", "null"], "default": false}
}},
"ResponseRequest": {"groups": ["head", "sampling", "grammar"], "required": ["input"], "properties": {
  "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object", "additionalProperties": true}}]},
  "instructions": {"type": ["string", "null"]},
  "max_output_tokens": {"type": ["integer", "null"], "minimum": 1},
  "text": {"type": ["object", "null"], "additionalProperties": true},
  "tools": {"type": ["array", "null"], "items": {"type": "object", "additionalProperties": true}},
  "tool_choice": {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": true}, {"type": "null"}]},
  "parallel_tool_calls": {"type": ["boolean", "null"]},
  "reasoning": {"type": ["object", "null"], "additionalProperties": true},
  "include": {"type": ["array", "null"], "items": {"enum": ["reasoning.encrypted_content", "message.output_text.logprobs"]}},
  "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
  "truncation": {"enum": ["disabled", null]},
  "truncate_prompt_tokens": {"type": ["integer", "null"], "minimum": -1, "maximum": 2147483647},
  "chat_template_kwargs": {"type": ["object", "null"], "additionalProperties": true}
}},
"MessageRequest": {"groups": ["head", "sampling", "turns"], "required": ["model", "messages", "max_tokens"], "properties": {
  "model": {"type": "string"},
  "max_tokens": {"type": "integer", "minimum": 1},
  "stop_sequences": {"type": ["array", "null"], "items": {"type": "string"}}
}},
"CountTokensRequest": {"groups": ["turns"], "required": ["messages"], "properties": {
  "model": {"type": ["string", "null"]}
}},
"EmbeddingRequest": {"required": ["input"], "properties": {
  "input": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}},
    {"$ref": "#/components/schemas/TokenIds"},
    {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/TokenIds"}}]},
  "model": {"type": ["string", "null"]},
  "encoding_format": {"enum": ["float", "base64", null], "default": "float"},
  "dimensions": {"type": ["integer", "null"], "minimum": 1},
  "truncate_prompt_tokens": {"type": ["integer", "null"], "minimum": -1, "maximum": 2147483647},
  "add_special_tokens": {"type": ["boolean", "null"], "default": true},
  "user": {"type": ["string", "null"]}
}},
"ScoreRequest": {"required": ["prefix", "continuations"], "properties": {
  "prefix": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"}]},
  "continuations": {"type": "array", "minItems": 1, "maxItems": 2048, "description": "Of the prefix's kind",
    "items": {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/TokenIds"}]}},
  "model": {"type": ["string", "null"]},
  "user": {"type": ["string", "null"]}
}},
"TokenizeRequest": {"properties": {
  "prompt": {"type": "string"},
  "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ChatMessage"}},
  "model": {"type": ["string", "null"]},
  "add_special_tokens": {"type": ["boolean", "null"]},
  "return_token_strs": {"type": ["boolean", "null"], "default": false},
  "tools": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}},
  "chat_template_kwargs": {"type": ["object", "null"], "additionalProperties": true},
  "add_generation_prompt": {"type": ["boolean", "null"]},
  "continue_final_message": {"type": ["boolean", "null"], "default": false}
}, "oneOf": [{"required": ["prompt"]}, {"required": ["messages"]}]},
"DetokenizeRequest": {"required": ["tokens"], "properties": {
  "tokens": {"type": "array", "items": {"$ref": "#/components/schemas/TokenId"}},
  "model": {"type": ["string", "null"]}
}}
})json";

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
    "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": {"type": "string"}}}}]},
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
  "owned_by": {"type": "string"}, "max_model_len": {"type": "integer"}}},
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
  const Json groups = Json::parse(kGroups);
  Json schemas = Json::parse(kAnswers);
  const Json requests = Json::parse(kRequests);
  for (const auto& [name, entry] : requests.items()) {
    Json schema = entry;
    Json properties = Json::object();
    for (const Json& group : schema.value("groups", Json::array()))
      properties.update(groups.at(group.get<std::string>()));
    properties.update(schema.at("properties"));
    schema.erase("groups");
    schema["type"] = "object";
    schema["properties"] = std::move(properties);
    schema["additionalProperties"] = false;
    schemas[name] = std::move(schema);
  }
  return schemas;
}

}  // namespace caravel::server
