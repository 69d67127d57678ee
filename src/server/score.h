#pragma once

#include "http/http.h"
#include "server/services.h"

namespace caravel::server {

/// POST /v1/score: log-probabilities of many continuations of one prefix, which is computed once.
///   {"prefix": text or token ids, "continuations": [of the same kind, ...]} ->
///   {"data": [{"index", "logprob", "is_greedy", "tokens", "token_ids", "token_logprobs"}, ...], "usage"}
/// Blocks until done. Answered 429 where half of the threads that run handlers score already.
http::Response score(Services& services, const http::Request& request);

}  // namespace caravel::server
