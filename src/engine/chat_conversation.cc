#include "engine/chat_conversation.h"

#include <string>

#include "base/error.h"
#include "chat/message_json.h"
#include "fields/fields.h"

namespace caravel::engine {
namespace {

/// JSON that a caller gave as text. `path` names it in errors.
Json parse_text(const std::string& text, const std::string& path) {
  try {
    return parse_json(text);
  } catch (const FormatError& error) {
    throw bad_field(path, fmt::format("{}: {}", path, error.what()));
  }
}

Json tool_json(const Tool& tool, const std::string& path) {
  Json function = {{"name", tool.name}, {"description", tool.description}};
  if (!tool.parameters.empty()) function["parameters"] = parse_text(tool.parameters, path + ".parameters");
  return {{"type", "function"}, {"function", std::move(function)}};
}

const char* choice_word(ChatRequest::ToolChoice choice) {
  switch (choice) {
    case ChatRequest::ToolChoice::kNone:
      return "none";
    case ChatRequest::ToolChoice::kRequired:
      return "required";
    case ChatRequest::ToolChoice::kAuto:
      break;
  }
  return "auto";
}

}  // namespace

chat::Conversation conversation_of(const ChatRequest& request) {
  Json body = {{"messages", Json::array()}, {"tool_choice", choice_word(request.tool_choice)}};
  for (const Message& message : request.messages) body["messages"].push_back(chat::message_json(message));
  for (const Tool& tool : request.tools) {
    body["tools"].push_back(tool_json(tool, "tools." + std::to_string(body["tools"].size())));
  }
  if (!request.template_kwargs.empty()) {
    body["chat_template_kwargs"] = parse_text(request.template_kwargs, "template_kwargs");
  }
  Fields fields(body);
  return chat::parse_conversation(fields);
}

}  // namespace caravel::engine
