#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "chat/call_object.h"
#include "chat/output_parser.h"

namespace caravel::chat {

/// All that is known of one way in which models spell calls.
struct ToolSyntax {
  ToolFormat format;
  std::string_view name;  // for --tool-call-parser
  /// Whether a chat template has calls of this format.
  bool (*is_format_of)(std::string_view chat_template);
  std::span<const std::string_view> marks;  // of calls, which a vocabulary may have as special tokens
  /// Of the marks, one that is always a token of its own: it ends a reasoning part that was left open. Empty: a model
  /// may think about calls in the spelling that it has for them.
  std::string_view ends_reasoning = {};
  std::string_view
      instruction;  // the form in which the format's models were told to answer, by which they are told again

  /// Of calls in a text that is not the model's own.
  struct Spelling {
    std::string_view before;     // the calls
    std::string_view call;       // opens one: up to the name, within its quotes
    std::string_view arguments;  // from the name to the arguments
    std::string_view end;        // closes one
    std::string_view between;    // two
    std::string_view after;      // the calls
  };
  Spelling forced;        // the one form that a forced call takes
  Spelling earlier = {};  // that of an earlier one where the template has no place for it; without `call`: the same

  size_t id_length = 0;  // letters and digits that the format's templates accept as a call's id; 0: any text

  std::unique_ptr<OutputParser> (*make_parser)(const Json& tools);
};

// Each beside its parser. A new format has a file of its own, a name here, and a row in the list of tool_syntax.cc.
extern const ToolSyntax kHermesSyntax;
extern const ToolSyntax kLlama3Syntax;
extern const ToolSyntax kMistralSyntax;
extern const ToolSyntax kGemmaSyntax;
extern const ToolSyntax kHarmonySyntax;
extern const ToolSyntax kDeepSeekSyntax;
extern const ToolSyntax kGlmSyntax;
extern const ToolSyntax kMiniMaxSyntax;
extern const ToolSyntax kQwenSyntax;
extern const ToolSyntax kGraniteSyntax;
extern const ToolSyntax kPhiSyntax;
extern const ToolSyntax kOlmoSyntax;
extern const ToolSyntax kGeneralSyntax;

/// nullptr for kNone.
const ToolSyntax* find_syntax(ToolFormat format);

/// Whether a template has this text.
inline bool says(std::string_view chat_template, std::string_view text) {
  return chat_template.find(text) != std::string_view::npos;
}

}  // namespace caravel::chat
