#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server {

// As vLLM has them.

/// POST /tokenize: {"prompt"}, or what /v1/chat/completions makes a prompt of -> {"count", "max_model_len", "tokens",
/// "token_strs"}.
std::unique_ptr<http::Work> tokenize(const Call& call);
/// POST /detokenize: {"tokens"} -> {"prompt"}.
std::unique_ptr<http::Work> detokenize(const Call& call);

}  // namespace caravel::server
