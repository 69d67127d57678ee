#include "chat/output_parser.h"

#include <utility>

#include "chat/harmony.h"
#include "chat/reasoning.h"
#include "chat/tool_syntax.h"

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

}  // namespace

std::unique_ptr<OutputParser> make_output_parser(ToolFormat format, const Json& tools, const ReasoningMarks& marks) {
  const ToolSyntax* syntax = find_syntax(format);
  if (marks.in_channels) return make_harmony_parser(syntax == nullptr ? Json() : tools);
  std::unique_ptr<OutputParser> calls;
  if (syntax == nullptr || tools.empty()) {
    calls = std::make_unique<ContentParser>();
  } else {
    calls = syntax->make_parser(tools);
  }
  const bool reads_calls = syntax != nullptr && !tools.empty();
  return marks.end.empty() ? std::move(calls)
                           : make_reasoning_parser(marks, reads_calls ? syntax->ends_reasoning : std::string_view(),
                                                   std::move(calls));
}

}  // namespace caravel::chat
