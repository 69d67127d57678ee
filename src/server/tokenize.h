#pragma once

#include "http/http.h"
#include "server/services.h"

namespace caravel::server {

// As vLLM has them.

/// POST /tokenize: {"prompt"} or {"messages"} -> {"count", "max_model_len", "tokens", "token_strs"}.
http::Response tokenize(Services& services, const http::Request& request);
/// POST /detokenize: {"tokens"} -> {"prompt"}.
http::Response detokenize(Services& services, const http::Request& request);

}  // namespace caravel::server
