#pragma once

#include "chat/conversation.h"
#include "fields/answer_form.h"

namespace caravel::server::anthropic {

/// What a body of /v1/messages says of the prompt and of the form of its answer.
struct Turns {
  chat::Conversation conversation;
  AnswerForm form;
};

/// messages, system, tools, tool_choice, thinking, output_config (its effort is for the template), output_format and
/// chat_template_kwargs. A last turn of the assistant's is the beginning of the answer. Throws FieldError.
Turns parse_turns(Fields& fields);

}  // namespace caravel::server::anthropic
