#include "cli/request_row.h"

#include <utility>

#include "base/error.h"
#include "base/written_number.h"
#include "chat/answers.h"
#include "fields/answer_form.h"
#include "fields/empty_array.h"
#include "fields/sampling.h"

namespace caravel::cli {
namespace {

/// Completions give the number of alternatives, chats a flag and top_logprobs.
std::optional<int> parse_logprobs(Fields& fields) {
  const int top = fields.integer("top_logprobs").value_or(0);
  const Json* value = fields.find("logprobs");
  if (value == nullptr || !value->is_boolean()) return fields.integer("logprobs");
  return value->get<bool>() ? std::optional(top) : std::nullopt;
}

std::variant<std::string, std::vector<int32_t>> parse_prompt(const Json& value, const std::string& path) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of token ids");
  if (value.empty()) throw empty_array(path);
  return as_token_ids(value, path);
}

std::string parse_id(Fields& fields) {
  const Json* id = fields.find("id");
  if (id == nullptr) return {};
  const bool is_number = id->is_number_integer() || is_written_integer(*id);
  return is_number ? to_text(*id) : as_string(*id, fields.path("id"));
}

std::string token_text(const Tokenizer& tokenizer, int32_t token) { return std::string(tokenizer.token_bytes(token)); }

/// {"token","token_id","logprob","rank","top_logprobs":[...]} of each.
Json logprobs_json(const std::vector<TokenLogprob>& logprobs, const Tokenizer& tokenizer) {
  Json list = Json::array();
  for (const TokenLogprob& entry : logprobs) {
    Json top = Json::array();
    for (const auto& [token, logprob] : entry.top) {
      top.push_back({{"token", token_text(tokenizer, token)}, {"token_id", token}, {"logprob", logprob}});
    }
    Json item = {{"token", token_text(tokenizer, entry.token)}, {"token_id", entry.token}, {"logprob", entry.logprob}};
    if (entry.rank > 0) item["rank"] = entry.rank;
    item["top_logprobs"] = std::move(top);
    list.push_back(std::move(item));
  }
  return list;
}

Json message_json(const Completion& completion) {
  Json message = {{"role", "assistant"}, {"content", completion.content}};
  if (!completion.reasoning.empty()) message["reasoning_content"] = completion.reasoning;
  for (const ToolCall& call : completion.tool_calls) {
    message["tool_calls"].push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return message;
}

}  // namespace

std::unique_ptr<RequestHandle> Submission::submit(Engine& engine, OnNews on_news) && {
  std::unique_ptr<RequestHandle> handle;
  try {
    handle = engine.submit(std::move(request), std::move(on_news));
  } catch (const Error& error) {
    const auto field = layout ? chat::about_tool(error, layout->forced) : std::nullopt;
    if (field) throw *field;
    throw;
  }
  return layout ? chat::read_answers(std::move(handle), *std::move(layout)) : std::move(handle);
}

chat::Renderer make_renderer(const Engine& engine) { return chat::Renderer(engine.tokenizer(), engine.model()); }

chat::PromptRoom whole_context(const ModelInfo& model) {
  return {.max_model_len = model.max_model_len, .tokens = static_cast<size_t>(model.max_model_len)};
}

Submission chat_submission(const chat::Renderer& renderer, const chat::Conversation& conversation, Request request,
                           const std::optional<chat::PromptRoom>& room) {
  auto [prompt, layout] = renderer.prepare(conversation, request.sampling, room);
  request.prompt = std::move(prompt.tokens);
  return {.request = std::move(request), .layout = std::move(layout)};
}

Json parse_line(const std::string& line, const std::string& file, int64_t number) {
  Json json;
  try {
    json = parse_json(line);
  } catch (const FormatError& error) {
    // The parser counts lines within what it is given, which is one.
    constexpr std::string_view kLine = "line 1, ";
    std::string what = error.what();
    if (const size_t at = what.find(kLine); at != std::string::npos) what.erase(at, kLine.size());
    throw fail<InvalidArgument>("{}:{}: not a JSON object: {}", file, number, what);
  }
  if (!json.is_object()) throw fail<InvalidArgument>("{}:{}: not a JSON object", file, number);
  return json;
}

namespace {

/// Fields that rows have, but not beside the kind of prompt that this one has.
void refuse_misplaced(const Json& row, const Fields& fields, std::string_view kind) {
  for (const auto& [name, value] : row.get_ref<const Json::object_t&>()) {
    if (value.is_null() || fields.is_known(name)) continue;
    if (const RequestField* field = find_field(name, Surface::kRows);
        field != nullptr && field->use == FieldUse::kRead && !field->is_inner()) {
      throw bad_field(name, fmt::format("Invalid '{}': it says nothing of a row with '{}'; leave it out.", name, kind));
    }
  }
}

}  // namespace

Submission parse_row(const Json& row, const SamplingParams& given, const chat::Renderer& renderer,
                     const std::optional<chat::PromptRoom>& room) {
  Fields fields(row, Surface::kRows);
  Request request{.id = parse_id(fields), .sampling = given};
  read_sampling(fields, Surface::kRows, request.sampling);
  if (const auto logprobs = parse_logprobs(fields)) request.sampling.logprobs = logprobs;
  if (AnswerForm form = parse_answer_form(fields); !form.field.empty()) {
    request.sampling.grammar = std::move(form.grammar);
  }
  request.priority = fields.integer("priority").value_or(0);
  request.cache_salt = fields.string("cache_salt").value_or("");
  const Json* prompt = fields.find("prompt");
  const bool has_messages = fields.find("messages") != nullptr;
  if ((prompt != nullptr) == has_messages) {
    throw bad_field(has_messages ? "messages" : "prompt", "give one of 'prompt' and 'messages'");
  }
  request.fallback = default_sampling(has_messages ? Surface::kTerminal : Surface::kRows);
  if (has_messages) {
    const chat::Conversation conversation = chat::parse_conversation(fields);
    refuse_misplaced(row, fields, "messages");
    fields.refuse_unknown();
    return chat_submission(renderer, conversation, std::move(request), room);
  }
  request.prompt = parse_prompt(*prompt, fields.path("prompt"));
  request.add_special_tokens = fields.boolean("add_special_tokens", true);
  refuse_misplaced(row, fields, "prompt");
  fields.refuse_unknown();
  return {.request = std::move(request)};
}

Json completion_json(const Result& result, const Completion& completion, bool is_chat, const Tokenizer& tokenizer) {
  Json json = {
      {"id", result.id},
      {"index", completion.index},
      {"text", completion.text},
      {"token_ids", completion.token_ids},
      {"finish_reason", finish_reason_name(completion.finish_reason)},
      {"logprobs", completion.logprobs.empty() ? Json(nullptr) : logprobs_json(completion.logprobs, tokenizer)},
      {"usage",
       {{"prompt_tokens", result.usage.prompt_tokens},
        {"completion_tokens", static_cast<int>(completion.token_ids.size())},
        {"cached_tokens", result.usage.cached_tokens}}},
  };
  if (is_chat) json["message"] = message_json(completion);
  if (!result.prompt_logprobs.empty()) json["prompt_logprobs"] = logprobs_json(result.prompt_logprobs, tokenizer);
  if (!result.error.empty()) json["error"] = result.error;
  return json;
}

}  // namespace caravel::cli
