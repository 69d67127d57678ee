#include "server/anthropic/turns.h"

#include <optional>
#include <string>
#include <utility>

#include "fields/empty_array.h"

namespace caravel::server::anthropic {
namespace {

void append_line(std::string& text, const std::string& more) {
  if (!text.empty()) text += '\n';
  text += more;
}

void append_part(Json& parts, const std::string& text) {
  if (!text.empty()) parts.push_back({{"type", "text"}, {"text", text}});
}

/// A user's blocks become the results of calls, each a message of its own, and then the texts.
void add_user_blocks(const Json& blocks, const std::string& path, Json& messages) {
  Json parts = Json::array();
  const size_t before = messages.size();
  size_t index = 0;
  for (const Json& block : as_array(blocks, path)) {
    Fields fields(block, join_path(path, index++));
    const std::string& type =
        as_one_of(fields.require("type"), fields.path("type"), {"text", "tool_result", "input_text", "output_text"});
    if (chat::is_text_part(type)) {
      append_part(parts, as_string(fields.require("text"), fields.path("text")));
    } else {
      const Json* content = fields.find("content");
      Json result = content == nullptr ? Json("") : chat::parse_content(*content, fields.path("content"));
      messages.push_back({{"role", "tool"},
                          {"content", std::move(result)},
                          {"tool_call_id", as_string(fields.require("tool_use_id"), fields.path("tool_use_id"))}});
    }
    fields.ignore_unknown();
  }
  // Results need no text beside them; a turn of nothing is an empty text, as it is where the content is a string.
  if (!parts.empty()) {
    messages.push_back({{"role", "user"}, {"content", std::move(parts)}});
  } else if (messages.size() == before) {
    messages.push_back({{"role", "user"}, {"content", ""}});
  }
}

Json assistant_message(const Json& blocks, const std::string& path) {
  Json parts = Json::array();
  std::string reasoning;
  Json calls = Json::array();
  size_t index = 0;
  for (const Json& block : as_array(blocks, path)) {
    Fields fields(block, join_path(path, index++));
    const std::string& type =
        as_one_of(fields.require("type"), fields.path("type"),
                  {"text", "tool_use", "thinking", "redacted_thinking", "input_text", "output_text"});
    if (chat::is_text_part(type)) {
      append_part(parts, as_string(fields.require("text"), fields.path("text")));
    } else if (type == "thinking") {
      append_line(reasoning, as_string(fields.require("thinking"), fields.path("thinking")));
    } else if (type == "tool_use") {
      const Json* const input = fields.find("input");
      calls.push_back({{"id", as_string(fields.require("id"), fields.path("id"))},
                       {"type", "function"},
                       {"function",
                        {{"name", as_string(fields.require("name"), fields.path("name"))},
                         {"arguments", input == nullptr ? Json::object() : as_object(*input, fields.path("input"))}}}});
    }
    fields.ignore_unknown();
  }
  Json message = {{"role", "assistant"}};
  if (!parts.empty()) {
    message["content"] = std::move(parts);
  } else if (calls.empty()) {
    message["content"] = "";
  }
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

Json parse_messages(const Json& value, const std::string& path, std::optional<Json> system) {
  Json messages = Json::array();
  if (system) messages.push_back({{"role", "system"}, {"content", *std::move(system)}});
  size_t index = 0;
  for (const Json& item : as_array(value, path)) {
    Fields fields(item, join_path(path, index++));
    const std::string& role = as_one_of(fields.require("role"), fields.path("role"), {"user", "assistant", "system"});
    const Json& content = fields.require("content");
    fields.ignore_unknown();
    if (content.is_string()) {
      messages.push_back({{"role", role}, {"content", content}});
    } else if (role == "system") {
      messages.push_back({{"role", role}, {"content", chat::parse_content(content, fields.path("content"))}});
    } else if (role == "user") {
      add_user_blocks(content, fields.path("content"), messages);
    } else {
      messages.push_back(assistant_message(content, fields.path("content")));
    }
  }
  if (index == 0) throw empty_array(path);
  return messages;
}

/// thinking: for templates that have a switch for it, as Qwen 3's.
void parse_thinking(Fields& fields, Json& kwargs) {
  const Json* value = fields.find("thinking");
  if (value == nullptr) return;
  Fields thinking = fields.inner(*value, "thinking");
  const std::string& type =
      as_one_of(thinking.require("type"), thinking.path("type"), {"enabled", "disabled", "adaptive", "between_tools"});
  kwargs["enable_thinking"] = type != "disabled";
  thinking.refuse_unknown();
}

/// output_config, and the field that its format was before.
AnswerForm parse_output(Fields& fields, Json& kwargs) {
  AnswerForm form;
  const auto take = [&form](const Json* format, const std::string& path) {
    if (format == nullptr) return;
    if (!form.field.empty()) throw form_is_given(path, form.field);
    form = {.grammar = parse_format(*format, path, FormatShape::kUnnamed), .field = path};
    if (form.grammar.kind == GrammarSpec::Kind::kNone) form.field.clear();
  };
  if (const Json* value = fields.find("output_config")) {
    Fields config = fields.inner(*value, "output_config");
    if (auto effort = config.string("effort")) kwargs["reasoning_effort"] = *std::move(effort);
    take(config.find("format"), config.path("format"));
    config.refuse_unknown();
  }
  take(fields.find("output_format"), fields.path("output_format"));
  return form;
}

Json parse_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  if (const Json* type = tool.find("type")) as_one_of(*type, tool.path("type"), {"custom"});
  Json result = chat::parse_function(tool, "input_schema");
  tool.ignore_unknown();
  return result;
}

void parse_choice(const Json& value, const std::string& path, chat::Tools& tools) {
  Fields object(value, path);
  const std::string& type = as_one_of(object.require("type"), object.path("type"), {"auto", "any", "tool", "none"});
  tools.parallel = !object.boolean("disable_parallel_tool_use", false);
  const Json* const name = type == "tool" ? &object.require("name") : nullptr;
  object.refuse_unknown();
  if (tools.list.is_null()) {
    if (type == "none" || type == "auto") return;
    throw chat::no_tools_to_choose(path);
  }
  if (name == nullptr) {
    tools.choose(type);
  } else {
    tools.choose_named(as_string(*name, object.path("name")), object.path("name"));
    tools.parallel = false;
  }
}

}  // namespace

Turns parse_turns(Fields& fields) {
  Turns turns;
  chat::Conversation& conversation = turns.conversation;
  conversation.tools = chat::parse_tools(
      fields, {.parse_tool = parse_tool, .schema_path = "input_schema", .parse_choice = parse_choice});
  std::optional<Json> system;
  if (const Json* value = fields.find("system")) system = chat::parse_content(*value, "system");
  conversation.messages = parse_messages(fields.require("messages"), "messages", std::move(system));
  const Json& last = conversation.messages.back();
  conversation.continue_final_message = last["role"] == "assistant" && last.contains("content");
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = chat::parse_template_kwargs(*kwargs, "chat_template_kwargs");
  }
  parse_thinking(fields, conversation.kwargs);
  turns.form = parse_output(fields, conversation.kwargs);
  return turns;
}

}  // namespace caravel::server::anthropic
