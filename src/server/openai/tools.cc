#include "server/openai/tools.h"

#include <algorithm>
#include <utility>

namespace caravel::server::openai {
namespace {

constexpr size_t kMaxTools = 128;

void check_name(const std::string& name, const std::string& path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed)) return;
  throw bad_field(path,
                  fmt::format("Invalid '{}': '{}'. A name has 1 to 64 letters, digits, '_', '-' or '.'.", path, name));
}

/// {"name", "description", <schema>} in chat's form; the schema's own key differs between the APIs.
Json function_tool(Fields& fields, std::string_view schema_key) {
  Json function = {{"name", as_string(fields.require("name"), fields.path("name"))}};
  check_name(function["name"].get_ref<const std::string&>(), fields.path("name"));
  if (auto description = fields.string("description")) function["description"] = *std::move(description);
  const Json* schema = fields.find(schema_key);
  function["parameters"] = schema == nullptr ? Json{{"type", "object"}, {"properties", Json::object()}}
                                             : as_object(*schema, fields.path(schema_key));
  fields.boolean("strict", false);
  return {{"type", "function"}, {"function", std::move(function)}};
}

Json chat_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  as_one_of(tool.require("type"), tool.path("type"), {"function"});
  Fields function(tool.require("function"), tool.path("function"));
  Json result = function_tool(function, "parameters");
  function.refuse_unknown();
  return result;
}

Json response_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  as_one_of(tool.require("type"), tool.path("type"), {"function"});
  Json result = function_tool(tool, "parameters");
  tool.refuse_unknown();
  return result;
}

Json message_tool(const Json& value, const std::string& path) {
  Fields tool(value, path);
  if (const Json* type = tool.find("type")) as_one_of(*type, tool.path("type"), {"custom"});
  Json result = function_tool(tool, "input_schema");
  tool.ignore({"cache_control"});
  tool.refuse_unknown();
  return result;
}

Json parse_list(Fields& fields, Json (*parse)(const Json& value, const std::string& path)) {
  const Json* value = fields.find("tools");
  if (value == nullptr || as_array(*value, fields.path("tools")).empty()) return nullptr;
  if (value->size() > kMaxTools) {
    throw FieldError(fields.path("tools"), "array_above_max_length",
                   fmt::format("Invalid 'tools': array too long. Expected an array with maximum length {}, but got an "
                               "array with length {} instead.",
                               kMaxTools, value->size()));
  }
  Json list = Json::array();
  for (const Json& tool : *value) list.push_back(parse(tool, join_path(fields.path("tools"), list.size())));
  return list;
}

/// The tools of that name, of which a named choice must find one.
Json named(const Json& list, const std::string& name, const std::string& path) {
  Json found = Json::array();
  for (const Json& tool : list) {
    if (tool["function"]["name"] == name) found.push_back(tool);
  }
  if (found.empty()) throw bad_field(path, fmt::format("Invalid '{}': no tool has the name '{}'.", path, name));
  return found;
}

void choose(Tools& tools, std::string_view choice) {
  if (choice == "none") {
    tools.choice = ToolChoice::kNone;
  } else if (choice == "auto") {
    tools.choice = ToolChoice::kAuto;
  } else {
    tools.choice = ToolChoice::kForced;
    tools.forced = tools.list;
  }
}

void choose_named(Tools& tools, Fields& fields, std::string_view key) {
  const std::string& name = as_string(fields.require(key), fields.path(key));
  tools.choice = ToolChoice::kForced;
  tools.forced = named(tools.list, name, fields.path(key));
}

/// A choice without tools is refused, but one that says nothing.
const Json* find_choice(Fields& fields, const Json& list) {
  const Json* choice = fields.find("tool_choice");
  if (choice != nullptr && list.is_null() && *choice != "none" && *choice != "auto") {
    throw bad_field(fields.path("tool_choice"), "'tool_choice' is only allowed when 'tools' are specified.");
  }
  return list.is_null() ? nullptr : choice;
}

Tools finish(Tools tools, chat::ToolFormat format) {
  if (tools.choice == ToolChoice::kNone) {
    tools.list = nullptr;
  } else if (format == chat::ToolFormat::kNone) {
    throw unsupported_field(
        "tools",
        "the model's chat template knows no tools; start the server with --tool-call-parser to name their format");
  }
  return tools;
}

/// OpenAI's tool_choice, whose named form differs between chat and responses.
Tools parse_openai_tools(Fields& fields, chat::ToolFormat format, bool nested) {
  Tools tools;
  tools.list = parse_list(fields, nested ? chat_tool : response_tool);
  tools.parallel = fields.boolean("parallel_tool_calls", true);
  const Json* choice = find_choice(fields, tools.list);
  const std::string path = fields.path("tool_choice");
  if (tools.list.is_null()) return tools;
  if (choice == nullptr) {
    tools.choice = ToolChoice::kAuto;
  } else if (choice->is_string()) {
    choose(tools, as_one_of(*choice, path, {"none", "auto", "required"}));
  } else {
    Fields object(*choice, path);
    as_one_of(object.require("type"), object.path("type"), {"function"});
    if (nested) {
      Fields function(object.require("function"), object.path("function"));
      choose_named(tools, function, "name");
      function.refuse_unknown();
    } else {
      choose_named(tools, object, "name");
    }
    object.refuse_unknown();
    tools.parallel = false;
  }
  return finish(std::move(tools), format);
}

}  // namespace

Tools parse_chat_tools(Fields& fields, chat::ToolFormat format) { return parse_openai_tools(fields, format, true); }

Tools parse_response_tools(Fields& fields, chat::ToolFormat format) {
  return parse_openai_tools(fields, format, false);
}

Tools parse_message_tools(Fields& fields, chat::ToolFormat format) {
  Tools tools;
  tools.list = parse_list(fields, message_tool);
  const Json* choice = fields.find("tool_choice");
  if (tools.list.is_null()) return tools;
  tools.choice = ToolChoice::kAuto;
  if (choice != nullptr) {
    Fields object(*choice, fields.path("tool_choice"));
    const std::string& type = as_one_of(object.require("type"), object.path("type"), {"auto", "any", "tool", "none"});
    tools.parallel = !object.boolean("disable_parallel_tool_use", false);
    if (type == "tool") {
      choose_named(tools, object, "name");
    } else {
      choose(tools, type);
    }
    object.refuse_unknown();
  }
  return finish(std::move(tools), format);
}

}  // namespace caravel::server::openai
