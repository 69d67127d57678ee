#include "chat/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace caravel::chat {
namespace {

Json parse_call(const Json& value, const std::string& path) {
  Fields call(value, path);
  Json result = Json::object();
  if (auto id = call.string("id")) result["id"] = *std::move(id);
  if (const Json* type = call.find("type")) as_one_of(*type, call.path("type"), {"function"});
  result["type"] = "function";
  Fields function(call.require("function"), call.path("function"));
  result["function"] = {{"name", as_string(function.require("name"), function.path("name"))}};
  const Json* arguments = function.find("arguments");
  const std::string arguments_path = function.path("arguments");
  result["function"]["arguments"] =
      arguments == nullptr ? Json::object() : parse_arguments(as_string(*arguments, arguments_path), arguments_path);
  function.refuse_unknown();
  call.ignore({"index"});
  call.refuse_unknown();
  return result;
}

Json parse_calls(const Json& value, const std::string& path) {
  Json calls = Json::array();
  for (const Json& call : as_array(value, path)) calls.push_back(parse_call(call, join_path(path, calls.size())));
  return calls;
}

Json parse_message(const Json& value, const std::string& path) {
  Fields fields(value, path);
  const std::string& role =
      as_one_of(fields.require("role"), fields.path("role"), {"system", "developer", "user", "assistant", "tool"});
  // Templates know no developer, which is what OpenAI calls its newer models' system prompt.
  Json message = {{"role", role == "developer" ? "system" : role}};
  const Json* calls = role == "assistant" ? fields.find("tool_calls") : nullptr;
  const Json* content = fields.find("content");
  if (content == nullptr && role != "assistant") throw missing_field(fields.path("content"));
  message["content"] = content == nullptr ? "" : parse_content(*content, fields.path("content"), {"text", "refusal"});
  if (auto name = fields.string("name")) message["name"] = *std::move(name);
  if (role == "assistant") {
    std::optional<std::string> reasoning = fields.string("reasoning_content");
    if (auto other = fields.string("reasoning"); !reasoning) reasoning = std::move(other);
    if (reasoning) message["reasoning_content"] = *std::move(reasoning);
    if (calls != nullptr) message["tool_calls"] = parse_calls(*calls, fields.path("tool_calls"));
    fields.refuse("function_call", "use tool_calls");
    // What an answer of ours carries, sent back as it came.
    fields.ignore({"refusal", "audio", "annotations"});
  }
  if (role == "tool") {
    message["tool_call_id"] = as_string(fields.require("tool_call_id"), fields.path("tool_call_id"));
  }
  fields.refuse_unknown();
  return message;
}

void parse_continuation(Fields& fields, Conversation& conversation) {
  conversation.continue_final_message = fields.boolean("continue_final_message", false);
  conversation.add_generation_prompt = fields.boolean("add_generation_prompt", !conversation.continue_final_message);
  if (conversation.continue_final_message && conversation.add_generation_prompt) {
    throw bad_field(fields.path("continue_final_message"),
                    "Give one of 'continue_final_message' and 'add_generation_prompt'.");
  }
}

}  // namespace

Conversation parse_conversation(Fields& fields) {
  const std::string path = fields.path("messages");
  return parse_conversation(fields, parse_messages(fields.require("messages"), path), path);
}

Conversation parse_conversation(Fields& fields, Json messages, std::string path) {
  Conversation conversation;
  conversation.messages = std::move(messages);
  conversation.path = std::move(path);
  conversation.tools = parse_chat_tools(fields);
  if (const Json* documents = fields.find("documents")) {
    conversation.documents = as_array(*documents, fields.path("documents"));
  }
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = as_object(*kwargs, fields.path("chat_template_kwargs"));
  }
  if (auto effort = fields.string("reasoning_effort")) conversation.kwargs["reasoning_effort"] = *std::move(effort);
  parse_continuation(fields, conversation);
  if (fields.find("add_special_tokens") != nullptr) {
    conversation.add_special_tokens = fields.boolean("add_special_tokens", false);
  }
  return conversation;
}

Json parse_messages(const Json& value, const std::string& path) {
  Json messages = Json::array();
  for (const Json& item : as_array(value, path)) {
    messages.push_back(parse_message(item, join_path(path, messages.size())));
  }
  return messages;
}

std::string parse_content(const Json& value, const std::string& path, std::initializer_list<std::string_view> types) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of text parts");
  std::string text;
  size_t index = 0;
  for (const Json& item : value) {
    Fields part(item, join_path(path, index));
    const std::string& type = as_string(part.require("type"), part.path("type"));
    if (std::ranges::find(types, type) == types.end()) {
      throw bad_field(part.path("type"), fmt::format("Invalid '{}': parts of type '{}' are not supported; this model "
                                                     "reads text alone.",
                                                     part.path("type"), type));
    }
    const std::string_view key = type == "refusal" ? "refusal" : "text";
    if (index++ > 0) text += '\n';
    text += as_string(part.require(key), part.path(key));
    part.ignore({"cache_control", "annotations", "logprobs", "citations"});
    part.refuse_unknown();
  }
  return text;
}

Json parse_arguments(const std::string& text, const std::string& path) {
  if (text.empty()) return Json::object();
  Json arguments;
  try {
    arguments = parse_json(text);
  } catch (const FormatError&) {
    throw bad_field(path, fmt::format("Invalid '{}': a call's arguments are a JSON object, as text.", path));
  }
  return as_object(arguments, path);
}

text::PromptComponents parse_components(const Json& value, const std::string& path) {
  const std::string text = to_text(as_object(value, path));
  try {
    return text::parse_prompt_components(text, path);
  } catch (const Error& error) {
    throw bad_field(path, error.what());
  }
}

}  // namespace caravel::chat
