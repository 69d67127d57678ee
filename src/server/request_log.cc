#include "server/request_log.h"

#include <fmt/format.h>

#include "fields/json.h"

namespace caravel::server {
namespace {

/// What a client wrote, as part of a line: no byte of it reaches a terminal as a control character.
std::string printable(const std::string& text) {
  const std::string quoted = to_text(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string json_line(const Exchange& exchange, double seconds, const std::string& time) {
  Json line = {
      {"time", time},          {"request_id", exchange.id},    {"peer", exchange.peer}, {"method", exchange.method},
      {"path", exchange.path}, {"status", exchange.outcome()}, {"seconds", seconds}};
  if (exchange.finish_reason != FinishReason::kNone) {
    line["prompt_tokens"] = exchange.usage.prompt_tokens;
    line["cached_tokens"] = exchange.usage.cached_tokens;
    line["completion_tokens"] = exchange.usage.completion_tokens;
    line["finish_reason"] = finish_reason_name(exchange.finish_reason);
  }
  if (!exchange.body.empty()) line["body"] = exchange.body;
  return to_text(line);
}

std::string text_line(const Exchange& exchange, double seconds, const std::string& time) {
  std::string line = fmt::format("{} {} {} {} {} {:.3f}s", time, exchange.peer, exchange.method,
                                 printable(exchange.path), exchange.outcome(), seconds);
  if (exchange.finish_reason != FinishReason::kNone) {
    line +=
        fmt::format(" prompt={} cached={} completion={} {}", exchange.usage.prompt_tokens, exchange.usage.cached_tokens,
                    exchange.usage.completion_tokens, finish_reason_name(exchange.finish_reason));
  }
  line += fmt::format(" id={}", exchange.id);
  if (!exchange.body.empty()) line += fmt::format(" body={}", to_text(exchange.body));
  return line;
}

}  // namespace

std::string request_line(const Exchange& exchange, log::Format format, std::chrono::system_clock::time_point now) {
  const double seconds = std::chrono::duration<double>(Clock::now() - exchange.start).count();
  const std::string time = log::timestamp(now);
  return format == log::Format::kJson ? json_line(exchange, seconds, time) : text_line(exchange, seconds, time);
}

}  // namespace caravel::server
