#pragma once

#include "chat/conversation.h"
#include "fields/fields.h"

namespace caravel::server::openai {

/// What /v1/responses says of the conversation: input, instructions, tools, tool_choice, parallel_tool_calls,
/// chat_template_kwargs and reasoning. Throws FieldError.
chat::Conversation parse_response_conversation(Fields& fields);

}  // namespace caravel::server::openai
