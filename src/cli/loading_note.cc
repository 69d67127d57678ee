#include "cli/loading_note.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/printable.h"

namespace caravel::cli {

LoadingNote::LoadingNote(std::string model, Show show, std::chrono::milliseconds begin) : show_(std::move(show)) {
  if (show_) thread_ = std::thread([this, model = std::move(model), begin] { run(model, begin); });
}

LoadingNote::~LoadingNote() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    done_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

LoadingNote::Show LoadingNote::on_terminal() {
  if (::isatty(STDERR_FILENO) != 1) return nullptr;
  return [](const std::string& text) { log::show(text); };
}

void LoadingNote::run(const std::string& model, std::chrono::milliseconds begin) {
  const Clock::time_point start = Clock::now();
  const auto done = [this] { return done_; };
  std::unique_lock lock(mutex_);
  if (ended_.wait_for(lock, begin, done)) return;
  do {
    // The cursor goes back to the line's beginning, so that what others say meanwhile stands over it.
    show_(fmt::format("\r\x1b[Kloading {}: {:.0f} s\r", printable(model, 60), seconds_since(start)));
  } while (!ended_.wait_for(lock, std::chrono::seconds(1), done));
  show_("\r\x1b[K");
}

}  // namespace caravel::cli
