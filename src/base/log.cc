#include "base/log.h"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace caravel::log {
namespace {

std::atomic<Format> current_format{Format::kText};

std::string_view name_of(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

/// spdlog's patterns escape nothing.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string line =
        json_line(message.time, name_of(message.level), {message.payload.data(), message.payload.size()}) + "\n";
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

void init(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    throw fail<InvalidArgument>("log level '{}' is none of trace, debug, info, warning, error, off", level);
  }
  auto logger = spdlog::stderr_color_mt("caravel");
  logger->set_level(parsed);
  spdlog::set_default_logger(std::move(logger));
  set_format(Format::kText);
}

void set_format(Format format) {
  current_format = format;
  if (format == Format::kJson) {
    spdlog::default_logger()->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    spdlog::default_logger()->set_pattern("%^[%l]%$ %v");
  }
}

void tell(spdlog::level::level_enum level, std::string_view message) {
  const std::string line = current_format == Format::kJson
                               ? json_line(std::chrono::system_clock::now(), name_of(level), message) + "\n"
                               : fmt::format("caravel: {}\n", message);
  show(line);
}

void show(std::string_view text, std::FILE* to) {
  std::fwrite(text.data(), 1, text.size(), to);  // one call: lines of several threads do not mix
}

std::string json_line(std::chrono::system_clock::time_point time, std::string_view level, std::string_view message) {
  const nlohmann::ordered_json line = {{"time", timestamp(time)}, {"level", level}, {"message", message}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)),
                     milliseconds % 1000);
}

}  // namespace caravel::log
