#include "server/openai/response_answer.h"

#include <fmt/format.h>

#include <utility>

#include "base/make_id.h"
#include "chat/call_arguments.h"
#include "server/endpoint/events.h"

namespace caravel::server::openai {
namespace {

using Kind = Piece::Kind;
using Section = SectionsAnswer::Section;

/// What every event about a section's text begins with.
Json place(size_t number, const Section& section) {
  Json json = {{"item_id", section.id}, {"output_index", number}};
  if (section.kind != Kind::kToolCall) json["content_index"] = 0;
  return json;
}

/// The id by which the client sends a call's output; nothing is kept here, so it is made of the item's own.
std::string call_id(const std::string& item_id, size_t length) {
  const size_t letters = item_id.find('_');
  return length == 0 ? "call" + item_id.substr(letters) : item_id.substr(letters + 1, length);
}

/// "response.output_text.delta" and the like.
std::string event_type(const Section& section, std::string_view end) {
  const std::string_view middle = section.kind == Kind::kReasoning  ? "reasoning_text"
                                  : section.kind == Kind::kToolCall ? "function_call_arguments"
                                                                    : "output_text";
  return fmt::format("response.{}.{}", middle, end);
}

}  // namespace

std::string ResponseAnswer::make_section_id(Kind kind) const {
  return make_id(kind == Kind::kReasoning ? "rs_" : kind == Kind::kToolCall ? "fc_" : "msg_");
}

Json ResponseAnswer::logprobs_json(size_t number, size_t first, AnswerText& out) const {
  if (!logprobs_) return Json::array();
  return out.list(sections()[number].logprobs.size() - first, [this, number, first](size_t i, std::string& text) {
    write_chat_logprob(sections()[number].logprobs[first + i], logprobs_->top, logprobs_->names, text);
  });
}

Json ResponseAnswer::text_part(size_t number, AnswerText& out) const {
  const Section& section = sections()[number];
  if (section.kind == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", section.text}};
  return {{"type", "output_text"},
          {"text", section.text},
          {"annotations", Json::array()},
          {"logprobs", logprobs_json(number, 0, out)}};
}

Json ResponseAnswer::item(size_t number, std::string_view status, AnswerText& out) const {
  const Section& section = sections()[number];
  const bool whole = status != "in_progress";
  // The model went on after a call whose arguments nobody can read.
  const bool unreadable = whole && section.kind == Kind::kToolCall && !chat::is_json_object(section.text);
  if (unreadable) status = "incomplete";
  Json content = Json::array();
  if (whole && section.kind != Kind::kToolCall) content.push_back(text_part(number, out));
  switch (section.kind) {
    case Kind::kReasoning:
      return {{"type", "reasoning"},
              {"id", section.id},
              {"summary", Json::array()},
              {"content", std::move(content)},
              {"status", status}};
    case Kind::kToolCall:
      return {{"type", "function_call"},
              {"id", section.id},
              {"call_id", call_id(section.id, call_id_length())},
              {"name", section.name},
              {"arguments", whole ? section.text : ""},
              {"status", status}};
    default:
      return {{"type", "message"},
              {"id", section.id},
              {"role", "assistant"},
              {"status", status},
              {"content", std::move(content)}};
  }
}

void ResponseAnswer::add_numbered(std::string_view type, Json fields, AnswerText& out) {
  Json event = {{"type", type}, {"sequence_number", events_++}};
  event.update(fields);
  add_event(type, event, out);
}

Json ResponseAnswer::response(std::string_view status, AnswerText& out) const {
  const bool running = status == "in_progress";
  Json output = Json::array();
  for (size_t i = 0; i < sections().size(); ++i) {
    const bool cut = status == "incomplete" && i + 1 == sections().size();
    output.push_back(item(i, cut ? "incomplete" : "completed", out));
  }
  Json json = {{"id", head_.id},
               {"object", "response"},
               {"created_at", head_.created},
               {"status", status},
               {"background", false},
               {"error", nullptr},
               {"incomplete_details", nullptr},
               {"model", head_.model},
               {"output", std::move(output)},
               {"previous_response_id", nullptr},
               {"store", false}};
  if (status == "incomplete") json["incomplete_details"] = {{"reason", "max_output_tokens"}};
  json.update(request_);
  json["usage"] = running ? Json(nullptr)
                          : Json{{"input_tokens", usage().prompt_tokens},
                                 {"input_tokens_details", {{"cached_tokens", usage().cached_tokens}}},
                                 {"output_tokens", usage().completion_tokens},
                                 {"output_tokens_details", {{"reasoning_tokens", 0}}},
                                 {"total_tokens", usage().prompt_tokens + usage().completion_tokens}};
  if (returns_token_ids()) {
    json["prompt_token_ids"] = prompt_token_ids();
    if (!running) json["token_ids"] = token_ids();
  }
  return json;
}

void ResponseAnswer::begin(AnswerText& out) {
  add_numbered("response.created", {{"response", response("in_progress", out)}}, out);
  add_numbered("response.in_progress", {{"response", response("in_progress", out)}}, out);
}

void ResponseAnswer::open(size_t number, const Section& section, AnswerText& out) {
  add_numbered("response.output_item.added", {{"output_index", number}, {"item", item(number, "in_progress", out)}},
               out);
  if (section.kind == Kind::kToolCall) return;
  Json fields = place(number, section);
  fields["part"] = text_part(number, out);
  add_numbered("response.content_part.added", std::move(fields), out);
}

void ResponseAnswer::grow(size_t number, const Section& section, const std::string& text, size_t first_logprob,
                          AnswerText& out) {
  Json fields = place(number, section);
  fields["delta"] = text;
  if (section.kind == Kind::kContent) fields["logprobs"] = logprobs_json(number, first_logprob, out);
  add_numbered(event_type(section, "delta"), std::move(fields), out);
}

void ResponseAnswer::close(size_t number, const Section& section, AnswerText& out) {
  Json fields = place(number, section);
  fields[section.kind == Kind::kToolCall ? "arguments" : "text"] = section.text;
  if (section.kind == Kind::kToolCall) fields["name"] = section.name;
  if (section.kind == Kind::kContent) fields["logprobs"] = logprobs_json(number, 0, out);
  add_numbered(event_type(section, "done"), std::move(fields), out);
  if (section.kind != Kind::kToolCall) {
    Json part = place(number, section);
    part["part"] = text_part(number, out);
    add_numbered("response.content_part.done", std::move(part), out);
  }
  const bool cut = number + 1 == sections().size() && finish_reason() != FinishReason::kStop &&
                   finish_reason() != FinishReason::kNone;
  add_numbered("response.output_item.done",
               {{"output_index", number}, {"item", item(number, cut ? "incomplete" : "completed", out)}}, out);
}

void ResponseAnswer::end(AnswerText& out) {
  const bool complete = finish_reason() == FinishReason::kStop;
  add_numbered(complete ? "response.completed" : "response.incomplete", {{"response", whole(out)}}, out);
}

Json ResponseAnswer::whole(AnswerText& out) const {
  return response(finish_reason() == FinishReason::kStop ? "completed" : "incomplete", out);
}

void ResponseAnswer::failed(const ApiError& error, AnswerText& out) {
  Json json = response("failed", out);
  json["error"] = {{"code", "server_error"}, {"message", error.what()}};
  add_numbered("response.failed", {{"response", std::move(json)}}, out);
}

}  // namespace caravel::server::openai
