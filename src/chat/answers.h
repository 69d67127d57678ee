#pragma once

#include <memory>

#include "caravel/engine.h"
#include "chat/output_parser.h"
#include "chat/tools.h"
#include "fields/json.h"

namespace caravel::chat {

/// Where reasoning and calls stand in the answers of one request, and what of them is passed on. By default all of the
/// text is content.
struct AnswerLayout {
  ToolFormat format = ToolFormat::kNone;
  Json tools = nullptr;                 // those that may be called, as in Tools::list
  std::vector<ToolSchema> forced = {};  // whose schemas the answer's grammar embeds, in order: for about_tool()
  ReasoningMarks marks;
  bool with_reasoning = true;  // off: reasoning is left out
  bool single_call = false;    // calls after the first are left out
  bool calls_alone = false;    // a grammar forces calls: text beside them is one that was cut, and left out
  size_t call_id_length = 0;   // as for make_call_id()
};

/// `handle`, taking its answers apart: deltas come with `pieces`, and completions with content, reasoning and
/// tool_calls. Tokens whose text may yet become a mark come with that text, so a delta without pieces is the last of
/// its answer. Pieces, joined, are what the completion has, however the text was cut.
std::unique_ptr<RequestHandle> read_answers(std::unique_ptr<RequestHandle> handle, AnswerLayout layout);

}  // namespace caravel::chat
