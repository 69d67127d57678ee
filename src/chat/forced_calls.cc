#include <algorithm>
#include <string>
#include <string_view>

#include "base/about_schema.h"
#include "base/error.h"
#include "chat/output_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

std::string gbnf_literal(std::string_view text) {
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '\n') {
      quoted += "\\n";
      continue;
    }
    if (byte == '"' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  return quoted + '"';
}

/// `number`: of the grammar's schemas, for complaints.
std::string schema_of(const Json& function, size_t number) {
  const auto refuse = [&](const std::string& why) { return SchemaError<InvalidArgument>(number, why); };
  // OpenAI: left out, it is a function without parameters.
  if (!function.contains("parameters") || function["parameters"].is_null()) {
    return R"({"type":"object","properties":{},"additionalProperties":false})";
  }
  Json schema = function["parameters"];
  if (!schema.is_object()) throw refuse("it must be an object");
  const auto type = schema.find("type");
  if (type == schema.end()) {
    // A reference or union may well be an object's: its own `type` says so, and a second one here would hide nothing.
    if (!schema.contains("$ref") && !schema.contains("anyOf") && !schema.contains("oneOf") &&
        !schema.contains("allOf")) {
      schema["type"] = "object";
    }
  } else if (type->is_array() && std::find(type->begin(), type->end(), "object") != type->end()) {
    schema["type"] = "object";
  } else if (*type != "object") {
    throw refuse(fmt::format("it has the type {}, but arguments are an object", to_text(*type)));
  }
  // An empty list of properties is how a function without parameters is often declared.
  if (schema.contains("properties") && schema["properties"].empty() && !schema.contains("additionalProperties") &&
      !schema.contains("patternProperties")) {
    schema["additionalProperties"] = false;
  }
  return to_text(schema);
}

}  // namespace

GrammarSpec forced_call_grammar(ToolFormat format, const Json& tools, bool parallel) {
  const ToolSyntax* syntax = find_syntax(format);
  if (syntax == nullptr) {
    throw Unsupported("there is no form for calls: --tool-call-parser is none");
  }
  const ToolSyntax::Spelling& spelled = syntax->forced;
  if (tools.empty()) throw InvalidArgument("there is no tool to call: tools is empty");
  GrammarSpec spec;
  spec.kind = GrammarSpec::Kind::kGbnf;
  std::string root = "root ::= ";
  const auto put = [&root](std::string_view text) {
    if (!text.empty()) root += gbnf_literal(text) + " ";
  };
  put(spelled.before);
  root += "call ";
  if (parallel) {
    root += "(";
    put(spelled.between);
    root += "call)* ";
  }
  put(spelled.after);
  std::string call = "call ::= (";
  for (const Json& tool : tools) {
    const Json& function = tool.at("function");
    const std::string name = function.at("name").get<std::string>();
    const std::string quoted = Json(name).dump();
    call += spec.schemas.empty() ? " " : " | ";
    call +=
        gbnf_literal(std::string(spelled.call) + quoted.substr(1, quoted.size() - 2) + std::string(spelled.arguments)) +
        " schema-" + std::to_string(spec.schemas.size());
    spec.schemas.push_back(schema_of(function, spec.schemas.size()));
  }
  call += " )";
  if (!spelled.end.empty()) call += " " + gbnf_literal(spelled.end);
  spec.text = root + "\n" + call + "\n";
  return spec;
}

}  // namespace caravel::chat
