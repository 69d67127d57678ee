#include "chat/output_parser.h"

#include <utility>

#include "base/error.h"
#include "chat/call_parser.h"
#include "chat/reasoning.h"

namespace caravel::chat {
namespace {

/// An answer without calls.
class ContentParser final : public OutputParser {
 public:
  std::vector<Piece> feed(std::string_view text) override {
    if (text.empty()) return {};
    return {{Piece::Kind::kContent, 0, std::string(text)}};
  }
  std::vector<Piece> finish() override { return {}; }
};

ToolNames names_of(const nlohmann::ordered_json& tools) {
  ToolNames names;
  for (const auto& tool : tools) names.insert(tool.at("function").at("name").get<std::string>());
  return names;
}

std::unique_ptr<OutputParser> make_call_parser(ToolFormat format, const nlohmann::ordered_json& tools) {
  if (tools.empty()) return std::make_unique<ContentParser>();
  switch (format) {
    case ToolFormat::kHermes:
      return make_hermes_parser(names_of(tools));
    case ToolFormat::kLlama3:
      return make_llama3_parser(names_of(tools));
    case ToolFormat::kMistral:
      return make_mistral_parser(names_of(tools));
    case ToolFormat::kGemma:
      return make_gemma_parser(names_of(tools));
    case ToolFormat::kNone:
      break;
  }
  return std::make_unique<ContentParser>();
}

}  // namespace

ToolFormat tool_format(std::string_view chat_template, std::string_view name) {
  static constexpr std::pair<std::string_view, ToolFormat> kNames[] = {{"hermes", ToolFormat::kHermes},
                                                                       {"llama3", ToolFormat::kLlama3},
                                                                       {"mistral", ToolFormat::kMistral},
                                                                       {"gemma", ToolFormat::kGemma},
                                                                       {"none", ToolFormat::kNone}};
  if (!name.empty()) {
    for (const auto& [known, format] : kNames) {
      if (name == known) return format;
    }
    throw fail<InvalidArgument>("no tool format is called '{}': use hermes, llama3, mistral, gemma or none", name);
  }
  const auto says = [&](std::string_view text) { return chat_template.find(text) != std::string_view::npos; };
  // Marks that these formats share with formats that put something else between them: XML (Qwen3-Coder), <arg_key>
  // (GLM), `functools[...]` (Firefunction).
  if (says("<function=") || says("<arg_key>") || says("functools")) return ToolFormat::kNone;
  const bool arguments = says("\"arguments\"") || says("\\\"arguments\\\"");  // the latter within a string of Jinja
  if (says("<tool_call>") && arguments) return ToolFormat::kHermes;
  if (says("[TOOL_CALLS]")) return ToolFormat::kMistral;
  if (says("<|start_header_id|>") && says("\"parameters\"")) return ToolFormat::kLlama3;
  return says("<start_of_turn>") ? ToolFormat::kGemma : ToolFormat::kNone;
}

bool marks_are_special(ToolFormat format) { return format == ToolFormat::kLlama3 || format == ToolFormat::kMistral; }

std::unique_ptr<OutputParser> make_output_parser(ToolFormat format, const nlohmann::ordered_json& tools,
                                                 const ReasoningMarks& marks) {
  std::unique_ptr<OutputParser> calls = make_call_parser(format, tools);
  return marks.end.empty() ? std::move(calls) : make_reasoning_parser(marks, std::move(calls));
}

}  // namespace caravel::chat
