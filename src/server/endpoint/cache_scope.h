#pragma once

#include <string>

#include "server/endpoint/call.h"

namespace caravel::server {

/// The salt by which a call's prompts share cached blocks: the request's own, and where keys have each their prefix
/// cache what the client shows of them.
std::string cache_scope(const Call& call, std::string salt);

}  // namespace caravel::server
