#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "voyager/run_store.h"

namespace caravel::voyager {

/// A task with the last words on it.
struct TaskOutcome {
  IterationRow row;
  std::optional<bool> judged, checked;  // of its last round: by the critic, by the world
  int rounds = 0;                       // that there are

  bool is_open() const { return !row.has_ended(); }  // begun, and not ended
};

struct TierReached {
  std::string name;
  std::string item;       // that reached it first
  int64_t iteration = 0;  // 0: it was not reached
};

/// The critic's words against the world's, of all rounds that have both.
struct CriticCounts {
  int64_t both_yes = 0;
  int64_t only_critic = 0;  // it took for done what was not
  int64_t only_world = 0;   // it missed what was done
  int64_t both_no = 0;
  int64_t unchecked = 0;  // it spoke, and the world could not tell

  int64_t compared() const { return both_yes + only_critic + only_world + both_no; }
  int64_t right() const { return both_yes + both_no; }
};

/// Calls of one role.
struct RoleTotals : RunTotals {
  int64_t retries = 0;
  int64_t cut = 0;  // answers
};

/// A run in figures.
struct RunSummary {
  std::string world;
  uint64_t seed = 0;
  std::string curriculum, action, critic_model;  // names of the models; empty: not begun
  std::string goal;                              // empty: none
  std::string ending;                            // in a sentence
  std::vector<TaskOutcome> tasks;                // in order
  int64_t done = 0, failed = 0, open = 0;        // tasks
  int64_t rounds = 0;
  std::vector<ItemRow> items;
  std::vector<TierReached> tiers;  // lowest first
  CriticCounts critic;
  std::array<RoleTotals, kRoles> roles;  // by Role
  int64_t skills = 0;                    // names, of whichever version
  int64_t skills_learnt = 0;             // of these, by this run
  int64_t rounds_with_skills = 0;        // whose code calls one of the library

  RoleTotals calls() const;  // of all roles
  bool has_one_model() const { return curriculum == action && action == critic_model; }
  /// nullptr: there is no such task.
  const TaskOutcome* task(int64_t iteration) const;
};

RunSummary summarise(const RunStore& run);

/// The world's tiers, as the run's setup has them.
std::vector<Tier> tiers_of(const Json& setup);

/// Different items after each iteration in which there were new ones.
struct ItemSteps {
  std::vector<double> iterations;
  std::vector<double> counts;
  std::vector<std::string> names;  // the new ones, ", " between them
};
ItemSteps item_steps(const RunSummary& run);

}  // namespace caravel::voyager
