#pragma once

#include "caravel/request.h"
#include "chat/conversation.h"

namespace caravel::engine {

/// The conversation of a ChatRequest, as /v1/chat/completions would read it. Throws InvalidArgument: an unknown role, a
/// tool's name or parameters that are none, template_kwargs that are no JSON object.
chat::Conversation conversation_of(const ChatRequest& request);

}  // namespace caravel::engine
