#include "server/anthropic/message_answer.h"

#include <utility>

#include "base/error.h"
#include "chat/call_arguments.h"
#include "chat/call_ids.h"
#include "server/anthropic/errors.h"
#include "server/endpoint/events.h"

namespace caravel::server::anthropic {
namespace {

using Kind = Piece::Kind;

/// A block without what it holds.
Json empty_block(const SectionsAnswer::Section& section) {
  switch (section.kind) {
    case Kind::kReasoning:
      return {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
    case Kind::kToolCall:
      return {{"type", "tool_use"}, {"id", section.id}, {"name", section.name}, {"input", Json::object()}};
    default:
      return {{"type", "text"}, {"text", ""}};
  }
}

/// A call's arguments; no object where they are none, or cut.
Json parse_input(const std::string& arguments) {
  try {
    return parse_json(arguments);
  } catch (const FormatError&) {
    // It refuses a key that is there twice, which a model may write.
    return Json::parse(arguments, nullptr, /*allow_exceptions=*/false);
  }
}

/// cut: max_tokens ended the answer in it. Then a call's input stays empty: the form has no place for a beginning.
Json block(const SectionsAnswer::Section& section, bool cut) {
  Json json = empty_block(section);
  if (section.kind == Kind::kReasoning) {
    json["thinking"] = section.text;
  } else if (section.kind == Kind::kContent) {
    json["text"] = section.text;
  } else if (Json input = parse_input(section.text); input.is_object()) {
    json["input"] = std::move(input);
  } else if (!cut) {
    json["input"] = {{chat::kUnreadableArguments, section.text}};
  }
  return json;
}

void add_named(const Json& data, AnswerText& out) { add_event(data["type"].get_ref<const std::string&>(), data, out); }

}  // namespace

void MessageAnswer::failed(const ApiError& error, AnswerText& out) { add_named(error_json(error), out); }

http::Response MessageAnswer::refusal(const ApiError& error) const { return anthropic::error_response(error); }

std::string MessageAnswer::make_section_id(Kind kind) const {
  return kind == Kind::kToolCall ? chat::make_call_id("toolu_", call_id_length()) : std::string();
}

Json MessageAnswer::message(Json content, Json stop_reason, Json usage) const {
  const std::optional<std::string> stop = stop_reason.is_null() ? std::nullopt : stop_string();
  Json json = {{"id", head_.id},
               {"type", "message"},
               {"role", "assistant"},
               {"model", head_.model},
               {"content", std::move(content)},
               {"stop_reason", std::move(stop_reason)},
               {"stop_sequence", stop ? Json(*stop) : Json(nullptr)},
               {"usage", std::move(usage)}};
  if (returns_token_ids()) json["prompt_token_ids"] = prompt_token_ids();
  return json;
}

Json MessageAnswer::stop_reason() const {
  if (finish_reason() != FinishReason::kStop) return "max_tokens";
  if (called_tools()) return "tool_use";
  return stop_string() ? "stop_sequence" : "end_turn";
}

Json MessageAnswer::usage_json() const {
  // Anthropic's input_tokens are those that were not found in the cache.
  return {{"input_tokens", usage().prompt_tokens - usage().cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage().cached_tokens},
          {"output_tokens", usage().completion_tokens}};
}

void MessageAnswer::begin(AnswerText& out) {
  Json usage = {{"input_tokens", prompt_tokens_},
                {"cache_creation_input_tokens", 0},
                {"cache_read_input_tokens", 0},
                {"output_tokens", 0}};
  add_named({{"type", "message_start"}, {"message", message(Json::array(), nullptr, std::move(usage))}}, out);
}

void MessageAnswer::open(size_t number, const Section& section, AnswerText& out) {
  add_named({{"type", "content_block_start"}, {"index", number}, {"content_block", empty_block(section)}}, out);
}

void MessageAnswer::grow(size_t number, const Section& section, const std::string& text, size_t /*first_logprob*/,
                         AnswerText& out) {
  Json delta;
  switch (section.kind) {
    case Kind::kReasoning:
      delta = {{"type", "thinking_delta"}, {"thinking", text}};
      break;
    case Kind::kToolCall:
      delta = {{"type", "input_json_delta"}, {"partial_json", text}};
      break;
    default:
      delta = {{"type", "text_delta"}, {"text", text}};
  }
  add_named({{"type", "content_block_delta"}, {"index", number}, {"delta", std::move(delta)}}, out);
}

void MessageAnswer::close(size_t number, const Section&, AnswerText& out) {
  add_named({{"type", "content_block_stop"}, {"index", number}}, out);
}

void MessageAnswer::end(AnswerText& out) {
  const std::optional<std::string> stop = stop_string();
  const Json delta = {{"stop_reason", stop_reason()}, {"stop_sequence", stop ? Json(*stop) : Json(nullptr)}};
  Json last = {{"type", "message_delta"}, {"delta", delta}, {"usage", usage_json()}};
  if (returns_token_ids()) last["token_ids"] = token_ids();
  add_named(last, out);
  add_named({{"type", "message_stop"}}, out);
}

Json MessageAnswer::whole(AnswerText&) const {
  Json content = Json::array();
  for (const Section& section : sections()) {
    content.push_back(block(section, finish_reason() != FinishReason::kStop && &section == &sections().back()));
  }
  Json json = message(std::move(content), stop_reason(), usage_json());
  if (returns_token_ids()) json["token_ids"] = token_ids();
  return json;
}

}  // namespace caravel::server::anthropic
