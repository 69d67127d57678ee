#pragma once

#include "chat/conversation.h"
#include "fields/fields.h"

namespace caravel::server::anthropic {

/// What is said so far, and with which tools, as /v1/messages has it: messages, system, tools, tool_choice, thinking
/// and chat_template_kwargs. A last turn of the assistant's is the beginning of the answer. Throws FieldError.
chat::Conversation parse_turns(Fields& fields);

}  // namespace caravel::server::anthropic
