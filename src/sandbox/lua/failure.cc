#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "sandbox/lua/frames.h"
#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {
namespace {

constexpr size_t kMessageBytes = 600;

Json failed(std::string_view message, std::string_view where, int line, const std::string& trace, bool killed) {
  Json error = {{"message", printable(message, kMessageBytes)},
                {"where", printable(where)},
                {"line", line},
                {"trace", trace},
                {"killed", killed}};
  return {{"failed", std::move(error)}};
}

}  // namespace

/// Whoever wrote the code reads this: the line is the innermost of that code, wherever the error was raised.
Json failure(const Session& session, std::string_view text, bool killed) {
  const std::vector<Frame> frames = frames_of(session.running);
  const std::string trace = trace_text(frames);
  if (const Place place = place_in(text); place.where == kCodeName)
    return failed(text, place.where, place.line, trace, killed);
  const auto in_code = std::ranges::find_if(frames, &Frame::is_code);
  if (in_code != frames.end()) {
    const std::string message = fmt::format("{}:{}: {}", kCodeName, in_code->line, text);
    return failed(message, kCodeName, in_code->line, trace, killed);
  }
  if (const Place place = place_in(text); place.length > 0) return failed(text, place.where, place.line, trace, killed);
  if (frames.empty()) return failed(text, "", 0, trace, killed);
  const std::string message = fmt::format("{}:{}: {}", frames.front().where, frames.front().line, text);
  return failed(message, frames.front().where, frames.front().line, trace, killed);
}

}  // namespace caravel::sandbox::lua
