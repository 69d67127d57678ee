#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server::openai {

// OpenAI's endpoints, with vLLM's additions. A stream is text/event-stream; its chunks joined are the answer that the
// same request without `stream` gets.

/// POST /v1/completions.
std::unique_ptr<http::Work> completions(const Call& call);

/// POST /v1/chat/completions.
std::unique_ptr<http::Work> chat_completions(const Call& call);

/// POST /v1/responses, without what a server would have to remember.
std::unique_ptr<http::Work> responses(const Call& call);

/// POST /v1/embeddings.
std::unique_ptr<http::Work> embeddings(const Call& call);

/// GET /v1/models and GET /v1/models/{id}, told apart by the path.
std::unique_ptr<http::Work> models(const Call& call);

}  // namespace caravel::server::openai
