#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "caravel/engine.h"
#include "chat/renderer.h"
#include "fields/json.h"

namespace caravel::cli {

/// A request that is ready to be submitted.
struct Submission {
  Request request;
  std::optional<chat::AnswerLayout> layout = std::nullopt;  // how a chat's answers are read

  /// A chat's answers come taken apart. Throws as Engine::submit does.
  std::unique_ptr<RequestHandle> submit(Engine& engine, OnNews on_news = {}) &&;
};

/// By the template and the tool format that the engine was opened with.
chat::Renderer make_renderer(const Engine& engine);

/// All of the engine's context, for a prompt: what surely has no room is refused before it is tokenized.
chat::PromptRoom whole_context(const ModelInfo& model);

/// A conversation as a request. Throws as chat::Renderer::prepare does.
Submission chat_submission(const chat::Renderer& renderer, const chat::Conversation& conversation, Request request,
                           const std::optional<chat::PromptRoom>& room = {});

/// A line of a JSONL file, which is an object. file, number: where it stands, for the error. Throws InvalidArgument.
Json parse_line(const std::string& line, const std::string& file, int64_t number);

/// A row of a JSONL file: a completion or chat request in OpenAI's field names. What it does not say of the sampling is
/// as in `given`, else by the defaults of rows; a conversation's answer goes to its end, as in a chat. room: a
/// conversation's. Throws FieldError: a field that is unknown or of the wrong type, named; both or neither of prompt
/// and messages.
Submission parse_row(const Json& row, const SamplingParams& given, const chat::Renderer& renderer,
                     const std::optional<chat::PromptRoom>& room = {});

/// {"id","index","text","token_ids","finish_reason","logprobs","usage"} of one completion; of a chat's also "message",
/// as /v1/chat/completions has it; prompt_logprobs where asked.
Json completion_json(const Result& result, const Completion& completion, bool is_chat, const Tokenizer& tokenizer);

}  // namespace caravel::cli
