#pragma once

#include <chrono>
#include <string>

#include "base/log.h"
#include "server/endpoint/exchange.h"

namespace caravel::server {

/// One line about an exchange that is over, without its line break: for people, or one JSON object. Neither the query
/// nor the body is in it, unless the exchange brings its body. now: when it ended.
std::string request_line(const Exchange& exchange, log::Format format, std::chrono::system_clock::time_point now);

}  // namespace caravel::server
