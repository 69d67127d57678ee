#include "chat/tool_syntax.h"

#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace caravel::chat {
namespace {

/// In the order in which a template is tried: the mark of one may stand in a template of the next.
constexpr const ToolSyntax* kSyntaxes[] = {
    &kHarmonySyntax, &kDeepSeekSyntax, &kGlmSyntax,     &kMiniMaxSyntax, &kQwenSyntax,  &kGraniteSyntax, &kPhiSyntax,
    &kOlmoSyntax,    &kHermesSyntax,   &kMistralSyntax, &kLlama3Syntax,  &kGemmaSyntax, &kGeneralSyntax};
constexpr std::string_view kNoFormat = "none";

ToolFormat format_named(std::string_view name) {
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (name == syntax->name) return syntax->format;
  }
  if (name == kNoFormat) return ToolFormat::kNone;
  throw fail<InvalidArgument>("no tool format is called '{}': use one of {}", name,
                              fmt::join(tool_format_names(), ", "));
}

}  // namespace

std::vector<std::string> tool_format_names() {
  std::vector<std::string> names;
  for (const ToolSyntax* syntax : kSyntaxes) names.emplace_back(syntax->name);
  names.emplace_back(kNoFormat);
  return names;
}

const ToolSyntax* find_syntax(ToolFormat format) {
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (syntax->format == format) return syntax;
  }
  return nullptr;
}

ToolFormat tool_format(std::string_view chat_template, std::string_view name) {
  if (!name.empty()) return format_named(name);
  // What others put within marks that these formats have as well.
  if (says(chat_template, "<function=") && !kQwenSyntax.is_format_of(chat_template)) return ToolFormat::kGeneral;
  for (const ToolSyntax* syntax : kSyntaxes) {
    if (syntax->is_format_of(chat_template)) return syntax->format;
  }
  return ToolFormat::kGeneral;
}

std::span<const std::string_view> call_marks(ToolFormat format) {
  const ToolSyntax* syntax = find_syntax(format);
  return syntax == nullptr ? std::span<const std::string_view>() : syntax->marks;
}

std::string tool_instructions(ToolFormat format, std::string_view chat_template, const Json& tools) {
  const ToolSyntax* syntax = find_syntax(format);
  const bool told = format != ToolFormat::kGeneral && says(chat_template, "tools");
  if (syntax == nullptr || tools.empty() || told) return {};
  std::string text = "You may call functions. To call some, ";
  text += syntax->instruction;
  text += "\nThe functions:";
  for (const Json& tool : tools) text += "\n" + to_text(tool.at("function"));
  return text;
}

}  // namespace caravel::chat
