#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/fields.h"

namespace caravel::chat {

enum class ToolChoice : uint8_t {
  kNone,   // the model is told of no tool
  kAuto,   // it may call
  kForced  // it must
};

/// Where a request has the schema of a tool's arguments.
struct ToolSchema {
  std::string tool;  // its name
  std::string path;  // "tools.1.function.parameters"
};

/// The functions that a model may call.
struct Tools {
  Json list = nullptr;    // OpenAI's chat form, which is what templates see; null where no tool may be called
  Json forced = nullptr;  // those of the list of which one must be called; null where none must
  std::vector<ToolSchema> schemas = {};         // of the list
  std::vector<ToolSchema> forced_schemas = {};  // of forced
  ToolChoice choice = ToolChoice::kNone;
  bool parallel = true;  // more than one call in an answer

  /// "none", "auto" or, for any other word, any of the list.
  void choose(std::string_view word);
  /// The one of that name. Throws FieldError about `path` where there is none.
  void choose_named(const std::string& name, const std::string& path);
};

/// How an API spells tools; APIs differ in little but the names of fields.
struct ToolForm {
  /// One of `tools`, as an entry of Tools::list.
  Json (*parse_tool)(const Json& value, const std::string& path);
  /// Where a tool has the schema of its arguments: "parameters".
  std::string_view schema_path;
  /// tool_choice, where it is given, into choice, forced and parallel. The list may be null.
  void (*parse_choice)(const Json& value, const std::string& path, Tools& tools);
};

/// `tools` and `tool_choice`; without a choice the model may call. Throws FieldError.
Tools parse_tools(Fields& fields, const ToolForm& form);

/// tools, tool_choice and parallel_tool_calls as /v1/chat/completions has them.
Tools parse_chat_tools(Fields& fields);

/// `error` as one about the schema's field, and with the tool's name: of a grammar that embeds the schemas of `forced`
/// in their order. Nothing where it is about none of them.
std::optional<FieldError> about_tool(const std::exception& error, const std::vector<ToolSchema>& forced);

/// The fields of a function that every form has (name, description, strict, and the schema of its parameters, which is
/// called `schema_key`), as an entry of Tools::list.
Json parse_function(Fields& fields, std::string_view schema_key);

/// What is wrong with a choice of a tool where there are none.
FieldError no_tools_to_choose(const std::string& path);

/// OpenAI's tool_choice: "none", "auto", "required", or an object that names a function: within "function" where it is
/// `nested`, else beside the type. A choice by name is of one call. Throws FieldError where there is no tool to choose.
void parse_openai_choice(const Json& value, const std::string& path, bool nested, Tools& tools);

}  // namespace caravel::chat
