#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/openai/context.h"
#include "server/openai/generation.h"
#include "server/openai/part.h"
#include "server/openai/prompt.h"
#include "server/openai/tools.h"

namespace caravel::server::openai {

/// How the answers of one chat are taken apart; the same for each of n.
struct ChatForm {
  chat::ToolFormat format = chat::ToolFormat::kNone;
  Tools tools;
  chat::ReasoningMarks marks;
  bool with_reasoning = true;

  PartReader reader() const {
    return {chat::make_output_parser(format, tools.list, marks), with_reasoning,
            tools.choice != ToolChoice::kNone && !tools.parallel};
  }
};

/// Sets up generation and reader for the tools: a forced call becomes the answer's grammar. Throws ApiError where the
/// answer's form is already prescribed, and for what a tool's schema has that cannot be enforced.
ChatForm make_chat_form(const Context& context, Tools tools, const Prompt& prompt, Generation& generation);

}  // namespace caravel::server::openai
