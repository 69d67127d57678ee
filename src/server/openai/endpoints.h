#pragma once

#include <memory>

#include "http/http.h"
#include "server/openai/context.h"

namespace caravel::server::openai {

// Each answers one request: at once, or with work that goes on. What is wrong with a request is the response, in the
// endpoint's own form of errors, and never thrown. A stream is text/event-stream; its chunks joined are the answer that
// the same request without `stream` gets. Dropping the work cancels what runs for it. `context` must outlive it.

/// POST /v1/completions.
std::unique_ptr<http::Work> completions(const Context& context, const http::Request& request, const http::Wake& wake);

/// POST /v1/chat/completions.
std::unique_ptr<http::Work> chat_completions(const Context& context, const http::Request& request,
                                             const http::Wake& wake);

/// POST /v1/responses, without what a server would have to remember.
std::unique_ptr<http::Work> responses(const Context& context, const http::Request& request, const http::Wake& wake);

/// POST /v1/messages: Anthropic's form, its events and its errors.
std::unique_ptr<http::Work> messages(const Context& context, const http::Request& request, const http::Wake& wake);

/// POST /v1/messages/count_tokens: how many tokens the prompt of such a message has.
std::unique_ptr<http::Work> count_message_tokens(const Context& context, const http::Request& request,
                                                 const http::Wake& wake);

/// POST /v1/embeddings. Blocks until they are computed.
std::unique_ptr<http::Work> embeddings(const Context& context, const http::Request& request, const http::Wake& wake);

/// GET /v1/models and GET /v1/models/{id}, told apart by the path.
std::unique_ptr<http::Work> models(const Context& context, const http::Request& request, const http::Wake& wake);

}  // namespace caravel::server::openai
