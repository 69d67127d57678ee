#include "server/openai/chat_answer.h"

#include <optional>
#include <utility>
#include <vector>

#include "chat/call_ids.h"

namespace caravel::server::openai {
namespace {

using Kind = Piece::Kind;

Json call_json(const std::string& id, const std::string& name, const std::string& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
}

/// vLLM's two names for it.
void set_reasoning(Json& message, const std::string& text) {
  message["reasoning_content"] = text;
  message["reasoning"] = text;
}

std::string joined(const std::vector<Piece>& pieces, Kind kind) {
  std::string text;
  for (const Piece& piece : pieces) {
    if (piece.kind == kind) text += piece.text;
  }
  return text;
}

/// id_length: of calls, as for make_call_id().
Json delta_json(const std::vector<Piece>& pieces, size_t id_length) {
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
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Kind::kContent:
        delta["content"] = joined(pieces, Kind::kContent);
        break;
      case Kind::kReasoning:
        set_reasoning(delta, joined(pieces, Kind::kReasoning));
        break;
      case Kind::kToolCall:
        call_of(piece.index).update(call_json(chat::make_call_id("call_", id_length), piece.text, ""));
        break;
      case Kind::kToolArguments:
        Json& function = call_of(piece.index)["function"];
        if (!function.contains("arguments")) function["arguments"] = "";
        function["arguments"].get_ref<std::string&>() += piece.text;
        break;
    }
  }
  return delta;
}

}  // namespace

ChatAnswer::ChatAnswer(Generation generation, AnswerHead head, Form form, const Tokenizer& tokenizer)
    : ChoicesAnswer(std::move(generation), std::move(head), "chat.completion", "chat.completion.chunk"),
      form_(std::move(form)),
      names_{.tokenizer = tokenizer, .as_ids = form_.choices.tokens_as_ids},
      choices_(n()) {}

void ChatAnswer::add(size_t, const Delta& delta, AnswerText& out) {
  if (!streams()) return;
  count_tokens(delta.token_ids.size());
  Choice& choice = choices_[static_cast<size_t>(delta.index)];
  for (const Piece& piece : delta.pieces) choice.called_tools = choice.called_tools || piece.kind == Kind::kToolCall;
  if (!std::exchange(choice.begun, true)) {
    Json extra = Json::object();
    if (generation().return_token_ids) extra["prompt_token_ids"] = prompt_token_ids();
    const Delta nothing{.index = delta.index};
    add_chunk(choice_json(nothing, false, "delta", {{"role", "assistant"}, {"content", form_.echoed}}, out), extra,
              out);
  }
  // A chunk has to do with one call, as OpenAI's do: some clients read the first of its list alone.
  const size_t id_length = generation().layout.call_id_length;
  std::vector<Piece> pieces;
  std::optional<int> call;
  for (const Piece& piece : delta.pieces) {
    if (piece.kind == Kind::kToolCall || piece.kind == Kind::kToolArguments) {
      if (call && *call != piece.index) {
        const Delta nothing{.index = delta.index};
        add_chunk(choice_json(nothing, true, "delta", delta_json(std::exchange(pieces, {}), id_length), out), out);
      }
      call = piece.index;
    }
    pieces.push_back(piece);
  }
  add_chunk(choice_json(delta, choice.called_tools, "delta", delta_json(pieces, id_length), out), out);
}

void ChatAnswer::prompt_ended(size_t, const Result& result, AnswerText& out) {
  add_usage_of(result);
  if (streams()) return;
  for (const Completion& completion : result.completions) {
    add_choice(choice_json(completion, !completion.tool_calls.empty(), "message", message_json(completion), out));
  }
  if (generation().return_token_ids) add_field("prompt_token_ids", prompt_token_ids());
  if (const auto& top = form_.choices.prompt_logprobs) {
    add_field("prompt_logprobs",
              prompt_logprobs_json(result.prompt_logprobs, static_cast<size_t>(*top), names_.tokenizer, out));
  }
}

template <typename Part>
Json ChatAnswer::choice_json(const Part& part, bool called_tools, const char* message_key, Json message,
                             AnswerText& out) const {
  Json json = {{"index", part.index}, {message_key, std::move(message)}, {"logprobs", nullptr}};
  if (form_.logprobs && !(streams() && part.logprobs.empty())) {
    json["logprobs"] = {{"content", chat_logprobs(part.logprobs, form_.top_logprobs, names_, out)},
                        {"refusal", nullptr}};
  }
  json["finish_reason"] = finish_reason_json(part.finish_reason, called_tools);
  json["stop_reason"] = stop_reason_json(part.finish_reason, part.stop_reason);
  if (generation().return_token_ids) json["token_ids"] = part.token_ids;
  return json;
}

Json ChatAnswer::message_json(const Completion& completion) const {
  Json message = {{"role", "assistant"}, {"content", form_.echoed + completion.content}, {"refusal", nullptr}};
  if (!completion.reasoning.empty()) set_reasoning(message, completion.reasoning);
  if (completion.tool_calls.empty()) return message;
  if (message["content"] == "") message["content"] = nullptr;
  Json calls = Json::array();
  for (const ToolCall& call : completion.tool_calls) calls.push_back(call_json(call.id, call.name, call.arguments));
  message["tool_calls"] = std::move(calls);
  return message;
}

}  // namespace caravel::server::openai
