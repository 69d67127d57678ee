#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace caravel::log {

/// Sends spdlog's default logger to stderr (results alone go to stdout), `[level] message`. Call once, first in main.
/// level: trace, debug, info, warning, error, off; throws InvalidArgument otherwise.
void init(std::string_view level);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace caravel::log
