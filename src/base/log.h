#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace caravel::log {

/// How a line on stderr is written.
enum class Format : uint8_t {
  kText,  // [level] message
  kJson,  // {"time", "level", "message"}
};

/// Sends spdlog's default logger to stderr (results alone go to stdout), as text. Call once, first in main.
/// level: trace, debug, info, warning, error, off; throws InvalidArgument otherwise.
void init(std::string_view level);

/// The form of every line from here on.
void set_format(Format format);

/// What a command tells the person who started it, whatever the log's level: "caravel: message", or an object like the
/// log's.
void tell(spdlog::level::level_enum level, std::string_view message);

/// The text as it stands, on stderr, or on what a terminal is read through. What cannot be written there, as where the
/// terminal has gone, is dropped: the work and its results go on.
void show(std::string_view text, std::FILE* to = stderr);

/// One JSON object of a log, without its line break, whatever bytes the message holds.
std::string json_line(std::chrono::system_clock::time_point time, std::string_view level, std::string_view message);

/// RFC 3339 in UTC, to the millisecond.
std::string timestamp(std::chrono::system_clock::time_point time);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace caravel::log
