#pragma once

#include <string>

#include "fields/fields.h"
#include "chat/output_parser.h"

namespace caravel::server::openai {

enum class ToolChoice : uint8_t {
  kNone,   // the model is told of no tool
  kAuto,   // it may call
  kForced  // it must
};

/// The functions that a model may call, in whichever form the endpoint has them.
struct Tools {
  Json list;    // OpenAI's chat form, what the template sees; null where no tool may be called
  Json forced;  // those of the list of which one must be called; null where none must
  ToolChoice choice = ToolChoice::kNone;
  bool parallel = true;  // more than one call in an answer
};

/// tools, tool_choice and parallel_tool_calls as /v1/chat/completions has them. Throws ApiError; also where tools may
/// be called and `format` is kNone.
Tools parse_chat_tools(Fields& fields, chat::ToolFormat format);
/// The same as /v1/responses has them: name and parameters beside the type.
Tools parse_response_tools(Fields& fields, chat::ToolFormat format);
/// tools and tool_choice as Anthropic has them.
Tools parse_message_tools(Fields& fields, chat::ToolFormat format);

}  // namespace caravel::server::openai
