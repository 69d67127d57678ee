#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"
#include "chat/output_parser.h"

namespace caravel::chat {
namespace {

using nlohmann::ordered_json;

/// How a format spells its calls, in the one form that a forced answer takes.
struct Spelling {
  std::string_view before;     // the calls
  std::string_view call;       // opens one: up to the name, within its quotes
  std::string_view arguments;  // from the name to the arguments
  std::string_view end;        // of one
  std::string_view between;    // two
  std::string_view after;      // the calls
};

Spelling spelling(ToolFormat format) {
  switch (format) {
    case ToolFormat::kHermes:
      return {"", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>", "\n", ""};
    case ToolFormat::kLlama3:
      return {"", "{\"name\": \"", "\", \"parameters\": ", "}", "; ", ""};
    case ToolFormat::kMistral:
      // Without [TOOL_CALLS]: a grammar's text is spelled by plain tokens, and the model knows that one as a special.
      return {"[", "{\"name\": \"", "\", \"arguments\": ", "}", ", ", "]"};
    case ToolFormat::kGemma:
      return {"```json\n", "{\"name\": \"", "\", \"parameters\": ", "}", "\n", "\n```"};
    case ToolFormat::kNone:
      break;
  }
  throw Unsupported("this model's chat template has no tool calls; name their format with --tool-call-parser");
}

std::string literal(std::string_view text) {
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

std::string schema_of(const ordered_json& function, const std::string& name) {
  // OpenAI: left out, it is a function without parameters.
  if (!function.contains("parameters") || function["parameters"].is_null()) {
    return R"({"type":"object","properties":{},"additionalProperties":false})";
  }
  ordered_json schema = function["parameters"];
  if (!schema.is_object()) throw fail<InvalidArgument>("the parameters of tool '{}' are not a JSON schema", name);
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
    throw fail<InvalidArgument>("the parameters of tool '{}' have the type {}, but arguments are an object", name,
                                type->dump());
  }
  // An empty list of properties is how a function without parameters is often declared.
  if (schema.contains("properties") && schema["properties"].empty() && !schema.contains("additionalProperties") &&
      !schema.contains("patternProperties")) {
    schema["additionalProperties"] = false;
  }
  return schema.dump();
}

}  // namespace

GrammarSpec forced_call_grammar(ToolFormat format, const ordered_json& tools, bool parallel) {
  const Spelling spelled = spelling(format);
  if (tools.empty()) throw InvalidArgument("there is no tool to call: tools is empty");
  GrammarSpec spec;
  spec.kind = GrammarSpec::Kind::kGbnf;
  std::string root = "root ::= ";
  const auto put = [&root](std::string_view text) {
    if (!text.empty()) root += literal(text) + " ";
  };
  put(spelled.before);
  root += "call ";
  if (parallel) root += "(" + literal(spelled.between) + " call)* ";
  put(spelled.after);
  std::string call = "call ::= " + literal(spelled.call) + " (";
  for (const ordered_json& tool : tools) {
    const ordered_json& function = tool.at("function");
    const std::string name = function.at("name").get<std::string>();
    const std::string quoted = ordered_json(name).dump();
    call += spec.schemas.empty() ? " " : " | ";
    call += literal(quoted.substr(1, quoted.size() - 2) + std::string(spelled.arguments)) + " schema-" +
            std::to_string(spec.schemas.size());
    spec.schemas.push_back(schema_of(function, name));
  }
  spec.text = root + "\n" + call + " ) " + literal(spelled.end) + "\n";
  return spec;
}

}  // namespace caravel::chat
