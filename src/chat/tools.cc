#include "chat/tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/about_schema.h"

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

void parse_list(Fields& fields, const ToolForm& form, Tools& tools) {
  const Json* value = fields.find("tools");
  const std::string path = fields.path("tools");
  if (value == nullptr || as_array(*value, path, kMaxTools).empty()) return;
  tools.list = Json::array();
  for (const Json& tool : *value) {
    const std::string own = join_path(path, tools.list.size());
    const Json& parsed = tools.list.emplace_back(form.parse_tool(tool, own));
    tools.schemas.push_back({.tool = parsed["function"]["name"], .path = join_path(own, form.schema_path)});
  }
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
  if (choice == ToolChoice::kForced) forced_schemas = schemas;
}

void Tools::choose_named(const std::string& name, const std::string& path) {
  choice = ToolChoice::kForced;
  forced = Json::array();
  for (const Json& tool : list) {
    if (tool["function"]["name"] == name) forced.push_back(tool);
  }
  forced_schemas.clear();
  std::ranges::copy_if(schemas, std::back_inserter(forced_schemas),
                       [&](const ToolSchema& schema) { return schema.tool == name; });
  if (forced.empty()) throw bad_field(path, fmt::format("Invalid '{}': no tool has the name '{}'.", path, name));
}

Tools parse_tools(Fields& fields, const ToolForm& form) {
  Tools tools;
  parse_list(fields, form, tools);
  if (!tools.list.is_null()) tools.choice = ToolChoice::kAuto;
  if (const Json* choice = fields.find("tool_choice")) form.parse_choice(*choice, fields.path("tool_choice"), tools);
  if (tools.choice == ToolChoice::kNone) tools.list = nullptr;
  return tools;
}

std::optional<FieldError> about_tool(const std::exception& error, const std::vector<ToolSchema>& forced) {
  const auto* about = dynamic_cast<const AboutSchema*>(&error);
  if (about == nullptr || about->schema >= forced.size()) return std::nullopt;
  const auto& [tool, path] = forced[about->schema];
  return bad_field(path, fmt::format("Invalid '{}': the schema of tool '{}': {}", path, tool, about->problem));
}

Tools parse_chat_tools(Fields& fields) {
  Tools tools = parse_tools(
      fields, {.parse_tool = parse_chat_tool, .schema_path = "function.parameters", .parse_choice = parse_chat_choice});
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
