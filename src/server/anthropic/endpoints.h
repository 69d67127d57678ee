#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server::anthropic {

// Anthropic's endpoints: its requests, its events and its errors (errors.h).

/// POST /v1/messages.
std::unique_ptr<http::Work> messages(const Call& call);

/// POST /v1/messages/count_tokens: how many tokens the prompt of such a message has.
std::unique_ptr<http::Work> count_message_tokens(const Call& call);

}  // namespace caravel::server::anthropic
