#include "server/openai/response_input.h"

#include <optional>
#include <utility>

#include "chat/message_shape.h"
#include "fields/empty_array.h"

namespace caravel::server::openai {
namespace {

/// The assistant's message that calls and reasoning are added to: the last one, if it is one.
Json& assistant(Json& messages) {
  if (messages.empty() || messages.back()["role"] != "assistant") {
    messages.push_back({{"role", "assistant"}});
  }
  return messages.back();
}

void add_message(Fields& fields, Json& messages) {
  const std::string& role =
      as_one_of(fields.require("role"), fields.path("role"), {"system", "developer", "user", "assistant"});
  Json content = chat::parse_content(fields.require("content"), fields.path("content"), {"refusal"});
  const bool answers = !messages.empty() && messages.back()["role"] == "assistant" &&
                       !messages.back().contains("content") && !messages.back().contains("tool_calls");
  if (role == "assistant" && answers) {
    messages.back()["content"] = std::move(content);  // after its reasoning
  } else {
    messages.push_back({{"role", role}, {"content", std::move(content)}});
  }
}

void add_call(Fields& fields, Json& messages) {
  Json call = {{"id", as_string(fields.require("call_id"), fields.path("call_id"))},
               {"type", "function"},
               {"function",
                {{"name", as_string(fields.require("name"), fields.path("name"))},
                 {"arguments", as_string(fields.require("arguments"), fields.path("arguments"))}}}};
  Json& calls = assistant(messages)["tool_calls"];
  if (calls.is_null()) calls = Json::array();
  calls.push_back(std::move(call));
}

void add_item(const Json& value, const std::string& path, Json& messages) {
  Fields fields(value, path);
  const Json* type_field = fields.find("type");
  const std::string type = type_field == nullptr
                               ? "message"
                               : as_one_of(*type_field, fields.path("type"),
                                           {"message", "function_call", "function_call_output", "reasoning"});
  if (type == "message") {
    add_message(fields, messages);
  } else if (type == "function_call") {
    add_call(fields, messages);
  } else if (type == "function_call_output") {
    messages.push_back({{"role", "tool"},
                        {"content", chat::parse_content(fields.require("output"), fields.path("output"))},
                        {"tool_call_id", as_string(fields.require("call_id"), fields.path("call_id"))}});
  } else {
    const Json* content = fields.find("content");
    if (content != nullptr) {
      Json message = {{"role", "assistant"}};
      message["reasoning_content"] =
          chat::text_of(chat::parse_content(*content, fields.path("content"), {"reasoning_text"}));
      messages.push_back(std::move(message));
    }
  }
  fields.ignore_unknown();
}

Json parse_input(const Json& value, const std::string& path, const std::optional<std::string>& instructions) {
  Json messages = Json::array();
  if (instructions) messages.push_back({{"role", "system"}, {"content", *instructions}});
  if (value.is_string()) {
    messages.push_back({{"role", "user"}, {"content", value}});
    return messages;
  }
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of items");
  if (value.empty()) throw empty_array(path);
  size_t index = 0;
  for (const Json& entry : value) add_item(entry, join_path(path, index++), messages);
  if (messages.empty()) throw bad_field(path, "Invalid '" + path + "': none of its items is a message.");
  return messages;
}

Json parse_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  as_one_of(tool.require("type"), tool.path("type"), {"function"});
  Json result = chat::parse_function(tool, "parameters");
  tool.ignore_unknown();
  return result;
}

void parse_choice(const Json& value, const std::string& path, chat::Tools& tools) {
  chat::parse_openai_choice(value, path, /*nested=*/false, tools);
}

}  // namespace

chat::Conversation parse_response_conversation(Fields& fields) {
  chat::Conversation conversation;
  conversation.path = "input";
  conversation.tools =
      chat::parse_tools(fields, {.parse_tool = parse_tool, .schema_path = "parameters", .parse_choice = parse_choice});
  conversation.tools.parallel = fields.boolean("parallel_tool_calls", true) && conversation.tools.parallel;
  conversation.messages = parse_input(fields.require("input"), conversation.path, fields.string("instructions"));
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = chat::parse_template_kwargs(*kwargs, "chat_template_kwargs");
  }
  if (const Json* reasoning = fields.find("reasoning")) {
    Fields inner = fields.inner(*reasoning, "reasoning");
    if (auto effort = inner.string("effort")) conversation.kwargs["reasoning_effort"] = *std::move(effort);
    inner.refuse_unknown();
  }
  return conversation;
}

}  // namespace caravel::server::openai
