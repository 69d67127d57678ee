#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/error.h"

namespace caravel::log {

void init(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    throw fail<InvalidArgument>("log level '{}' is none of trace, debug, info, warning, error, off", level);
  }
  auto logger = spdlog::stderr_color_mt("caravel");
  logger->set_pattern("%^[%l]%$ %v");
  logger->set_level(parsed);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace caravel::log
