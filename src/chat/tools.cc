#include "chat/tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace caravel::chat {
namespace {

constexpr size_t kMaxTools = 1024;     // agents with many servers of tools send some hundreds
constexpr size_t kMaxNameBytes = 128;  // Anthropic's; OpenAI has 64

void check_name(const std::string& name, const std::string& path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, allowed)) return;
  throw bad_field(path, fmt::format("Invalid '{}': '{}'. A name has 1 to {} letters, digits, '_', '-' or '.'.", path,
                                    name, kMaxNameBytes));
}

Json parse_list(Fields& fields, const ToolForm& form) {
  const Json* value = fields.find("tools");
  const std::string path = fields.path("tools");
  if (value == nullptr || as_array(*value, path, kMaxTools).empty()) return nullptr;
  Json list = Json::array();
  for (const Json& tool : *value) list.push_back(form.parse_tool(tool, join_path(path, list.size())));
  return list;
}

Json parse_chat_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  as_one_of(tool.require("type"), tool.path("type"), {"function"});
  Fields function(tool.require("function"), tool.path("function"));
  Json result = parse_function(function, "parameters");
  function.ignore_unknown();
  tool.ignore_unknown();
  return result;
}

void parse_chat_choice(const Json& value, const std::string& path, Tools& tools) {
  parse_openai_choice(value, path, /*nested=*/true, tools);
}

}  // namespace

void Tools::choose(std::string_view word) {
  choice = word == "none" ? ToolChoice::kNone : word == "auto" ? ToolChoice::kAuto : ToolChoice::kForced;
  forced = choice == ToolChoice::kForced ? list : Json(nullptr);
}

void Tools::choose_named(const std::string& name, const std::string& path) {
  choice = ToolChoice::kForced;
  forced = Json::array();
  for (const Json& tool : list) {
    if (tool["function"]["name"] == name) forced.push_back(tool);
  }
  if (forced.empty()) throw bad_field(path, fmt::format("Invalid '{}': no tool has the name '{}'.", path, name));
}

Tools parse_tools(Fields& fields, const ToolForm& form) {
  Tools tools;
  tools.list = parse_list(fields, form);
  if (!tools.list.is_null()) tools.choice = ToolChoice::kAuto;
  if (const Json* choice = fields.find("tool_choice")) form.parse_choice(*choice, fields.path("tool_choice"), tools);
  if (tools.choice == ToolChoice::kNone) tools.list = nullptr;
  return tools;
}

Tools parse_chat_tools(Fields& fields) {
  Tools tools = parse_tools(fields, {.parse_tool = parse_chat_tool, .parse_choice = parse_chat_choice});
  tools.parallel = fields.boolean("parallel_tool_calls", true) && tools.parallel;
  return tools;
}

Json parse_function(Fields& fields, std::string_view schema_key) {
  Json function = {{"name", as_string(fields.require("name"), fields.path("name"))}};
  check_name(function["name"].get_ref<const std::string&>(), fields.path("name"));
  if (auto description = fields.string("description")) function["description"] = *std::move(description);
  const Json* schema = fields.find(schema_key);
  function["parameters"] = schema == nullptr ? Json{{"type", "object"}, {"properties", Json::object()}}
                                             : as_object(*schema, fields.path(schema_key));
  fields.boolean("strict", false);
  return {{"type", "function"}, {"function", std::move(function)}};
}

FieldError no_tools_to_choose(const std::string& path) {
  return bad_field(path, fmt::format("'{}' is only allowed when 'tools' are specified.", path));
}

void parse_openai_choice(const Json& value, const std::string& path, bool nested, Tools& tools) {
  if (tools.list.is_null()) {
    if (value == "none" || value == "auto") return;
    throw no_tools_to_choose(path);
  }
  if (value.is_string()) {
    tools.choose(as_one_of(value, path, {"none", "auto", "required"}));
    return;
  }
  if (!value.is_object()) throw wrong_type(value, path, "a string or an object");
  Fields object(value, path);
  as_one_of(object.require("type"), object.path("type"), {"function"});
  const auto choose = [&tools](Fields& named) {
    tools.choose_named(as_string(named.require("name"), named.path("name")), named.path("name"));
  };
  if (nested) {
    Fields function(object.require("function"), object.path("function"));
    choose(function);
    function.refuse_unknown();
  } else {
    choose(object);
  }
  object.refuse_unknown();
  tools.parallel = false;
}

}  // namespace caravel::chat
