#include "chat/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace caravel::chat {
namespace {

constexpr size_t kMaxExamples = 1000;  // as in a file of prompt components

/// What is called. Arguments stay the text that the client sent: their form is the template's business.
Json parse_function_call(const Json& value, const std::string& path) {
  Fields function(value, path);
  Json result = {{"name", as_string(function.require("name"), function.path("name"))}};
  const Json* arguments = function.find("arguments");
  if (arguments != nullptr && !arguments->is_object()) as_string(*arguments, function.path("arguments"));
  result["arguments"] = arguments == nullptr ? Json("") : *arguments;
  function.ignore_unknown();
  return result;
}

Json parse_call(const Json& value, const std::string& path) {
  Fields call(value, path);
  Json result = Json::object();
  if (auto id = call.string("id")) result["id"] = *std::move(id);
  if (const Json* type = call.find("type")) as_one_of(*type, call.path("type"), {"function"});
  result["type"] = "function";
  result["function"] = parse_function_call(call.require("function"), call.path("function"));
  call.ignore_unknown();
  return result;
}

Json parse_calls(const Json& value, const std::string& path) {
  Json calls = Json::array();
  for (const Json& call : as_array(value, path)) calls.push_back(parse_call(call, join_path(path, calls.size())));
  return calls;
}

/// Reasoning has had several names; transformers looks for them in this order.
std::optional<std::string> parse_reasoning(Fields& fields) {
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    if (auto text = fields.string(name)) return text;
  }
  return std::nullopt;
}

/// The fields of an assistant's message beside its content.
void parse_answer(Fields& fields, Json& message) {
  // A refusal is what the model said in place of a content.
  if (auto refusal = fields.string("refusal"); refusal && !refusal->empty() && !message.contains("content")) {
    message["content"] = *std::move(refusal);
  }
  if (auto reasoning = parse_reasoning(fields)) message["reasoning_content"] = *std::move(reasoning);
  const Json* calls = fields.find("tool_calls");
  const Json* older_call = fields.find("function_call");  // what there was before tools
  if (calls != nullptr && !as_array(*calls, fields.path("tool_calls")).empty()) {
    message["tool_calls"] = parse_calls(*calls, fields.path("tool_calls"));
  } else if (older_call != nullptr) {
    Json function = parse_function_call(*older_call, fields.path("function_call"));
    message["tool_calls"] = Json::array({{{"type", "function"}, {"function", std::move(function)}}});
  }
}

Json parse_message(const Json& value, const std::string& path) {
  Fields fields(value, path);
  const std::string& role = as_one_of(fields.require("role"), fields.path("role"),
                                      {"system", "developer", "user", "assistant", "tool", "function"});
  Json message = {{"role", role}};
  const Json* content = fields.find("content");
  const bool is_result = role == "tool" || role == "function";
  if (content != nullptr) {
    message["content"] = parse_content(*content, fields.path("content"), {"refusal"});
  } else if (is_result) {
    message["content"] = "";  // the tool gave nothing
  } else if (role != "assistant") {
    throw missing_field(fields.path("content"));
  }
  if (auto name = fields.string("name"); name && !name->empty()) message["name"] = *std::move(name);
  if (role == "assistant") parse_answer(fields, message);
  if (role == "tool") {
    message["tool_call_id"] = as_string(fields.require("tool_call_id"), fields.path("tool_call_id"));
  }
  fields.ignore_unknown();
  return message;
}

/// Calls without an id, and results that name none, as there were before tools: they get ids that templates accept, in
/// the order in which they stand.
void add_call_ids(Json& messages) {
  int made = 0;
  std::string last;
  for (Json& message : messages) {
    if (message.contains("tool_calls")) {
      for (Json& call : message["tool_calls"]) {
        if (!call.contains("id")) {
          Json with_id = {{"id", fmt::format("call{:05}", made++)}};
          with_id.update(call);
          call = std::move(with_id);
        }
        last = call["id"].get<std::string>();
      }
    } else if (message["role"] == "function" && !last.empty()) {
      message["tool_call_id"] = last;
    }
  }
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
    size_t index = 0;
    for (const Json& document : as_array(*documents, fields.path("documents"))) {
      as_object(document, join_path(fields.path("documents"), index++));
    }
    conversation.documents = *documents;
  }
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = parse_template_kwargs(*kwargs, fields.path("chat_template_kwargs"));
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
  add_call_ids(messages);
  return messages;
}

Json parse_template_kwargs(const Json& value, const std::string& path) {
  constexpr std::string_view kReserved[] = {
      "messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "bos_token", "eos_token"};
  for (const auto& [name, kwarg] : as_object(value, path).get_ref<const Json::object_t&>()) {
    if (std::ranges::find(kReserved, name) == std::end(kReserved)) continue;
    throw bad_field(
        join_path(path, name),
        fmt::format("Invalid '{}': the template gets '{}' from the request's other fields or from the model; "
                    "it cannot be given here.",
                    join_path(path, name), name));
  }
  return value;
}

Json parse_content(const Json& value, const std::string& path, std::initializer_list<std::string_view> more_types) {
  if (value.is_string()) return value;
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of text parts");
  if (value.empty()) return "";
  Json parts = Json::array();
  for (const Json& item : value) {
    Fields part(item, join_path(path, parts.size()));
    const std::string& type = as_string(part.require("type"), part.path("type"));
    if (!is_text_part(type) && std::ranges::find(more_types, type) == more_types.end()) {
      throw bad_field(part.path("type"), fmt::format("Invalid '{}': parts of type '{}' are not supported; this model "
                                                     "reads text alone.",
                                                     part.path("type"), type));
    }
    const std::string_view key = type == "refusal" ? "refusal" : "text";
    parts.push_back({{"type", "text"}, {"text", as_string(part.require(key), part.path(key))}});
    part.ignore_unknown();
  }
  return parts;
}

text::PromptComponents parse_components(const Json& value, const std::string& path) {
  const auto text_of = [](Fields& fields, std::string_view name) { return fields.string(name).value_or(""); };
  const auto required_text = [](Fields& fields, std::string_view name) {
    return as_string(fields.require(name), fields.path(name));
  };
  Fields fields(value, path);
  text::PromptComponents components{.instruction = text_of(fields, "instruction"),
                                    .primary_content = required_text(fields, "primary_content"),
                                    .examples = {},
                                    .cue = text_of(fields, "cue"),
                                    .supporting_content = text_of(fields, "supporting_content")};
  if (const Json* examples = fields.find("examples")) {
    const std::string list = fields.path("examples");
    for (const Json& item : as_array(*examples, list, kMaxExamples)) {
      Fields example(item, join_path(list, components.examples.size()));
      components.examples.push_back({.input = required_text(example, "input"),
                                     .output = required_text(example, "output"),
                                     .reasoning = text_of(example, "reasoning")});
      example.refuse_unknown();
    }
  }
  fields.refuse_unknown();
  return components;
}

}  // namespace caravel::chat
