#include <string>
#include <string_view>

#include "chat/output_parser.h"

namespace caravel::chat {
namespace {

/// The form in which the format's models were told to answer: Hermes and Llama by their own templates, Gemma by
/// Google's guide to function calling.
std::string_view form(ToolFormat format) {
  switch (format) {
    case ToolFormat::kHermes:
      return "answer with a JSON object between tags, one for each call: <tool_call>\n"
             "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>";
    case ToolFormat::kMistral:
      return "answer with nothing but a list of them: [{\"name\": function name, \"arguments\": dictionary of argument "
             "name and its value}]";
    case ToolFormat::kGemma:
      return "answer with nothing but a block for them: ```json\n{\"name\": function name, \"parameters\": dictionary "
             "of "
             "argument name and its value}\n```";
    default:
      return "answer with nothing but {\"name\": function name, \"parameters\": dictionary of argument name and its "
             "value}";
  }
}

}  // namespace

std::string tool_instructions(ToolFormat format, std::string_view chat_template, const nlohmann::ordered_json& tools) {
  if (format == ToolFormat::kNone || tools.empty() || chat_template.find("tools") != std::string_view::npos) return {};
  std::string text = "You may call functions. To call some, ";
  text += form(format);
  text += "\nThe functions:";
  for (const auto& tool : tools) text += "\n" + tool.at("function").dump();
  return text;
}

}  // namespace caravel::chat
