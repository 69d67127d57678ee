#pragma once

#include <string>

#include "cli/interrupt.h"
#include "cli/quiet_terminal.h"
#include "cli/voyage/voyage_screen.h"
#include "cli/voyage/voyage_status.h"

namespace caravel::cli {

/// A voyage as it goes, over the whole of the terminal on standard output, which has its own content back at every end.
/// It draws when something happens, at most some twenty times a second.
class TerminalView final : public voyager::Watcher {
 public:
  /// Both standard output and standard error are terminals that it can draw on.
  static bool is_possible();

  /// run: the folder's name. guard, status: must outlive it; status is told all first.
  TerminalView(InterruptGuard& guard, VoyageStatus& status, std::string run);
  ~TerminalView() override;
  TerminalView(const TerminalView&) = delete;
  TerminalView& operator=(const TerminalView&) = delete;

  void on_iteration(const voyager::IterationRow& begun) override;
  void on_call(voyager::Role role, std::string_view model) override;
  void on_piece(std::string_view of_the_answer) override;
  void on_answer(const voyager::CallRow& call) override;
  void on_code(const voyager::StepRow& code) override;
  void on_world(voyager::Environment& world) override;
  void on_step(const voyager::StepRow& ended, voyager::Environment& world) override;
  void on_verdict(const voyager::StepRow& judged) override;
  void on_end(const voyager::IterationRow& ended) override;

 private:
  void take_map(voyager::Environment& world);
  void draw();
  /// Unless it was drawn a moment ago.
  void draw_soon();

  InterruptGuard& guard_;
  VoyageStatus& status_;
  const std::string run_;
  const Colors colors_ = terminal_colors();
  voyager::MapImage map_;
  Clock::time_point drawn_;
  QuietTerminal quiet_;
};

}  // namespace caravel::cli
