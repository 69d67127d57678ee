#include "server/openai/chat_answer.h"

#include <utility>

namespace caravel::server::openai {
namespace {

using chat::Piece;
using Kind = Piece::Kind;

Json new_call(const std::string& name) {
  return {{"id", make_id("call_")}, {"type", "function"}, {"function", {{"name", name}, {"arguments", ""}}}};
}

void append_text(Json& value, const std::string& text) { value.get_ref<std::string&>() += text; }

/// vLLM's two names for it.
void set_reasoning(Json& message, const std::string& text) {
  message["reasoning_content"] = text;
  message["reasoning"] = text;
}

}  // namespace

ChatAnswer::ChatAnswer(Options options, Form form, const ChatForm& chat, const Tokenizer& tokenizer)
    : ChoicesAnswer(std::move(options)),
      form_(std::move(form)),
      names_{.tokenizer = tokenizer, .as_ids = form_.tokens_as_ids} {
  for (int i = 0; i < form_.n; ++i) choices_.push_back({.reader = chat.reader(), .held = {}, .begun = false});
  if (!streams() && ChoicesAnswer::options().request.return_token_ids)
    add_field("prompt_token_ids", form_.prompt_token_ids);
}

void ChatAnswer::add(size_t, const Delta& delta, std::string& out) {
  count_tokens(delta.token_ids.size());
  const auto index = static_cast<size_t>(delta.index);
  Choice& choice = choices_[index];
  std::optional<Part> part = choice.reader.read(delta);
  if (!part) return;
  if (!streams()) {
    choice.held.append(std::move(*part));
    return;
  }
  if (!std::exchange(choice.begun, true)) {
    Json extra = Json::object();
    if (options().request.return_token_ids) extra["prompt_token_ids"] = form_.prompt_token_ids;
    add_chunk(choice_json(index, {}, "delta", {{"role", "assistant"}, {"content", form_.echoed}}), extra, out);
  }
  add_chunk(choice_json(index, *part, "delta", delta_json(*part)), out);
}

void ChatAnswer::prompt_ended(size_t, const Result& result, std::string&) {
  add_usage_of(result);
  if (streams()) return;
  for (size_t i = 0; i < choices_.size(); ++i) {
    add_choice(choice_json(i, choices_[i].held, "message", message_json(choices_[i].held)));
  }
  if (form_.prompt_logprobs) {
    add_field("prompt_logprobs", prompt_logprobs_json(result.prompt_logprobs,
                                                      static_cast<size_t>(*form_.prompt_logprobs), names_.tokenizer));
  }
}

Json ChatAnswer::choice_json(size_t index, const Part& part, const char* message_key, Json message) const {
  Json json = {{"index", index}, {message_key, std::move(message)}, {"logprobs", nullptr}};
  if (form_.logprobs && !(streams() && part.logprobs.empty())) {
    json["logprobs"] = {{"content", chat_logprobs(part.logprobs, form_.top_logprobs, names_)}, {"refusal", nullptr}};
  }
  json["finish_reason"] = finish_reason_json(part);
  json["stop_reason"] = stop_reason_json(part, form_.stop);
  if (options().request.return_token_ids) json["token_ids"] = part.token_ids;
  return json;
}

Json ChatAnswer::delta_json(const Part& part) const {
  Json delta = Json::object();
  const auto call_of = [&delta](int index) -> Json& {
    Json& calls = delta["tool_calls"];
    if (calls.is_null()) calls = Json::array();
    for (Json& call : calls) {
      if (call["index"] == index) return call;
    }
    calls.push_back({{"index", index}});
    return calls.back();
  };
  for (const Piece& piece : part.pieces) {
    switch (piece.kind) {
      case Kind::kContent:
        delta["content"] = part.joined(Kind::kContent);
        break;
      case Kind::kReasoning:
        set_reasoning(delta, part.joined(Kind::kReasoning));
        break;
      case Kind::kToolCall:
        call_of(piece.index).update(new_call(piece.text));
        break;
      case Kind::kToolArguments:
        Json& function = call_of(piece.index)["function"];
        if (!function.contains("arguments")) function["arguments"] = "";
        append_text(function["arguments"], piece.text);
        break;
    }
  }
  return delta;
}

Json ChatAnswer::message_json(const Part& part) const {
  Json message = {{"role", "assistant"}, {"content", form_.echoed + part.joined(Kind::kContent)}, {"refusal", nullptr}};
  Json calls = Json::array();
  for (const Piece& piece : part.pieces) {
    if (piece.kind == Kind::kToolCall) {
      Json call = new_call(piece.text);
      append_text(call["function"]["arguments"], part.joined(Kind::kToolArguments, piece.index));
      calls.push_back(std::move(call));
    }
  }
  if (const std::string reasoning = part.joined(Kind::kReasoning); !reasoning.empty()) {
    set_reasoning(message, reasoning);
  }
  if (!calls.empty()) {
    if (message["content"] == "") message["content"] = nullptr;
    message["tool_calls"] = std::move(calls);
  }
  return message;
}

}  // namespace caravel::server::openai
