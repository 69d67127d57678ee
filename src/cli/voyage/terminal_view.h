#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cli/interrupt.h"
#include "cli/quiet_terminal.h"
#include "cli/voyage/voyage_screen.h"
#include "cli/voyage/voyage_status.h"

namespace caravel::cli {

/// A voyage as it goes, over the whole of the terminal on standard output, which has its own content back at every end.
/// A thread of its own draws when something has happened, at most ten times a second and never before the terminal has
/// taken the frame before: a slow one gets fewer frames, and the run waits for none. The last state is always drawn.
class TerminalView final : public voyager::Watcher {
 public:
  /// Both standard output and standard error are terminals that it can draw on.
  static bool is_possible();

  /// run: the folder's name. last_words: what a second signal says. guard, status and these must outlive it; the first
  /// two are its own until its end.
  TerminalView(InterruptGuard& guard, VoyageStatus& status, std::string run, const std::string& last_words);
  ~TerminalView() override;
  TerminalView(const TerminalView&) = delete;
  TerminalView& operator=(const TerminalView&) = delete;

  void on(const voyager::Happening& what) override;

 private:
  /// Changes what is shown.
  void change(const std::function<void()>& make);
  std::string frame() const;
  void draw_frames();

  InterruptGuard& guard_;
  const std::string run_;
  const std::string& last_words_;
  const std::string leave_and_last_words_;
  const Colors colors_ = terminal_colors();
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  VoyageStatus& status_;
  voyager::MapImage map_;
  bool is_new_ = false;  // since the last frame
  bool is_ended_ = false;
  QuietTerminal quiet_;
  std::thread thread_;
};

}  // namespace caravel::cli
