#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "voyager/run_store.h"
#include "voyager/watcher.h"

namespace caravel::cli {

/// Where a voyage is, for whoever shows it: what its watcher was told, and of a run that goes on what its record had.
class VoyageStatus final : public voyager::Watcher {
 public:
  /// `iterations`: the most there will be.
  VoyageStatus(const voyager::RunStore& run, const voyager::WorldDescription& world, int64_t iterations);

  void on_iteration(const voyager::IterationRow& begun) override;
  void on_call(voyager::Role role, std::string_view model) override;
  void on_piece(std::string_view of_the_answer) override;
  void on_answer(const voyager::CallRow& call) override;
  void on_code(const voyager::StepRow& code) override;
  void on_world(voyager::Environment& world) override;
  void on_step(const voyager::StepRow& ended, voyager::Environment& world) override;
  void on_verdict(const voyager::StepRow& judged) override;
  void on_end(const voyager::IterationRow& ended) override;

  /// Names of the tiers that were reached, lowest first.
  std::vector<std::string> tiers() const;
  /// "14 items, tiers wood and stone, 6 skills": what the run has come to.
  std::string reached() const;
  /// "31 calls, 84,120 tokens in, 9,312 out, cost 0.1200".
  std::string spent() const;

  const int64_t iterations;
  const Clock::time_point begin = Clock::now();
  voyager::IterationRow iteration;       // that runs, or ran last; number 0: none yet
  int64_t done = 0, failed = 0;          // iterations that have ended
  std::optional<voyager::StepRow> step;  // of it, the last round
  bool is_running = false;               // its code
  std::optional<voyager::Role> role;     // that is asked; nothing: none is
  std::string model;                     // whom
  std::string answer;                    // the last call's, as it comes; its end where it is long
  voyager::Observation player;           // as it was seen last
  voyager::RunTotals totals;
  std::map<std::string, int64_t> items;  // name: the iteration that found it
  int64_t skills = 0;                    // that were learnt, versions of one counted once

 private:
  const voyager::WorldDescription& world_;
  std::vector<std::string> skill_names_;
};

/// "1,234,567".
std::string grouped(int64_t number);

/// An event of the world as a line: "now has a stone_pickaxe".
std::string event_text(const voyager::Event& event);
/// What went wrong with code, and where, in a line.
std::string error_text(const voyager::CodeError& error);

}  // namespace caravel::cli
