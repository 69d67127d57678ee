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
class VoyageStatus {
 public:
  /// `iterations`: the most there will be.
  VoyageStatus(const voyager::RunStore& run, const voyager::WorldDescription& world, int64_t iterations);

  void take(const voyager::Happening& what);

  /// Names of the tiers that were reached, lowest first.
  std::vector<std::string> tiers() const;
  /// "14 items, tiers wood, stone, 6 skills": what the run has come to.
  std::string reached() const;
  /// "31 calls, 84,120 tokens in, 9,312 out, cost 0.1200".
  std::string spent() const;

  const int64_t iterations;
  const Clock::time_point begin = Clock::now();
  std::string beginning;                 // what is done before the first task
  voyager::IterationRow iteration;       // that runs, or ran last; number 0: none yet
  int64_t done = 0, failed = 0;          // iterations that have ended
  std::optional<voyager::StepRow> step;  // of it, the last round
  bool is_running = false;               // its code
  bool is_ending = false;                // it was interrupted
  std::optional<voyager::Role> role;     // that is asked; nothing: none is
  std::string model;                     // whom
  std::string answer;                    // the last call's, as it comes; its end where it is long
  voyager::Observation player;           // as it was seen last
  voyager::RunTotals totals;
  std::map<std::string, int64_t> items;  // name: the iteration that found it
  int64_t skills = 0;                    // that were learnt, versions of one counted once

 private:
  void note(const voyager::SkillImported& imported);
  void note(const voyager::TaskBegun& begun);
  void note(const voyager::ModelAsked& asked);
  void note(const voyager::AnswerPiece& piece);
  void note(const voyager::ModelAnswered& answered);
  void note(const voyager::CodeWritten& written);
  void note(const voyager::WorldMoved& moved);
  void note(const voyager::CodeEnded& ended);
  void note(const voyager::CodeJudged& judged);
  void note(const voyager::TaskEnded& ended);

  const voyager::WorldDescription& world_;
  std::vector<std::string> skill_names_;
};

/// An event of the world as a line: "has stone_pickaxe for the first time".
std::string event_text(const voyager::Event& event);
/// What went wrong with code, and where, in a line.
std::string error_text(const voyager::CodeError& error);

}  // namespace caravel::cli
