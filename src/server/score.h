#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server {

/// POST /v1/score: log-probabilities of many continuations of one prefix, which is computed once.
///   {"prefix": text or token ids, "continuations": [of the same kind, ...]} ->
///   {"data": [{"index", "logprob", "is_greedy", "tokens", "token_ids", "token_logprobs"}, ...], "usage"}
std::unique_ptr<http::Work> score(const Call& call);

}  // namespace caravel::server
