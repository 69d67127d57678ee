#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "base/log.h"

namespace caravel::cli {
namespace {

constexpr int kBarWidth = 30;

std::string duration(double seconds) {
  const auto whole = std::llround(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(const InterruptGuard& /*guard*/, int64_t total, int64_t done_before)
    : total_(total), done_before_(done_before), done_(done_before), terminal_(::isatty(STDERR_FILENO) == 1) {
  draw();
}

Progress::~Progress() {
  draw();
  if (terminal_ && done_before_ < total_) log::show("\n");
}

void Progress::update(int64_t done, int64_t tokens) {
  done_ = done;
  tokens_ = tokens;
  if (seconds_since(drawn_) >= (terminal_ ? 0.1 : 10.0)) draw();
}

void Progress::draw() {
  if (done_before_ >= total_) return;
  drawn_ = Clock::now();
  const double elapsed = seconds_since(start_);
  const double share = static_cast<double>(done_) / static_cast<double>(total_);
  std::string pace;  // nothing is known before something is done
  if (done_ > done_before_) {
    pace = fmt::format("  {:.0f} tokens/s  {} passed", elapsed > 0 ? static_cast<double>(tokens_) / elapsed : 0.0,
                       duration(elapsed));
    if (done_ < total_) {
      const double each = elapsed / static_cast<double>(done_ - done_before_);
      pace += fmt::format(", {} left", duration(each * static_cast<double>(total_ - done_)));
    }
  }
  const auto filled = static_cast<int>(share * kBarWidth);
  log::show(fmt::format(
      "{}[{}{}] {}/{}{}{}", terminal_ ? "\r\x1b[K" : "", std::string(static_cast<size_t>(filled), '#'),
      std::string(static_cast<size_t>(kBarWidth - filled), '.'), done_, total_, pace, terminal_ ? "" : "\n"));
}

}  // namespace caravel::cli
