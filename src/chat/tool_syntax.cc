#include "chat/tool_syntax.h"

#include <string>

#include "base/error.h"

namespace caravel::chat {
namespace {

/// In the order in which a template is tried: the mark of one may stand in a template of the next.
constexpr const ToolSyntax* kSyntaxes[] = {&kHermesSyntax, &kMistralSyntax, &kLlama3Syntax, &kGemmaSyntax};

ToolFormat format_named(std::string_view name) {
  std::string names;
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (name == syntax->name) return syntax->format;
    names.append(syntax->name).append(", ");
  }
  if (name == "none") return ToolFormat::kNone;
  throw fail<InvalidArgument>("no tool format is called '{}': use {}or none", name, names);
}

}  // namespace

const ToolSyntax* find_syntax(ToolFormat format) {
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (syntax->format == format) return syntax;
  }
  return nullptr;
}

ToolFormat tool_format(std::string_view chat_template, std::string_view name) {
  if (!name.empty()) return format_named(name);
  // Marks that these formats share with formats that put something else between them: XML (Qwen3-Coder), <arg_key>
  // (GLM), `functools[...]` (Firefunction).
  for (const std::string_view other : {"<function=", "<arg_key>", "functools"}) {
    if (says(chat_template, other)) return ToolFormat::kNone;
  }
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (syntax->is_format_of(chat_template)) return syntax->format;
  }
  return ToolFormat::kNone;
}

bool marks_are_special(ToolFormat format) {
  const ToolSyntax* syntax = find_syntax(format);
  return syntax != nullptr && syntax->marks_are_special;
}

std::string tool_instructions(ToolFormat format, std::string_view chat_template, const Json& tools) {
  const ToolSyntax* syntax = find_syntax(format);
  if (syntax == nullptr || tools.empty() || says(chat_template, "tools")) return {};
  std::string text = "You may call functions. To call some, ";
  text += syntax->instruction;
  text += "\nThe functions:";
  for (const Json& tool : tools) text += "\n" + tool.at("function").dump();
  return text;
}

}  // namespace caravel::chat
