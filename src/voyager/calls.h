#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "voyager/agent.h"
#include "voyager/model.h"
#include "voyager/run_store.h"
#include "voyager/watcher.h"

namespace caravel::voyager {

/// Thrown before a call that the budget has nothing left for. No std::exception: nobody but the agent's run() catches
/// it.
struct BudgetUsed {
  std::string text;
  bool is_of_process = false;  // not of the whole run: another process has it whole
};

/// The one way to a model. Calls and embeddings are numbered, and recorded at once when the answer comes, each by
/// itself: a number that the record has already, since a process was killed behind it, is answered from there.
class Calls {
 public:
  /// All of them must outlive it. repeats: what is asked again, behind a kill, is asked with the same words; where the
  /// world is not the same twice, what was answered stands for whatever would be asked of that role.
  Calls(const Models& models, const Budget& budget, RunStore& store, Watcher& watcher, bool repeats);

  /// What comes next is number `done` + 1, of this iteration.
  void go_on(int64_t done, int64_t iteration);
  int64_t done() const { return done_; }

  /// Throws as ChatModel does; BudgetUsed; InvalidArgument where what is recorded was asked differently.
  ModelAnswer chat(const ModelRequest& request);
  std::vector<float> embed(const std::string& text);

  /// Whether the last call, a chat, has asked and was told just what the one of its role before it in this iteration.
  bool is_repeated() const;

 private:
  ChatModel& model_for(Role role) const;
  void check_budget() const;

  const Models& models_;
  const Budget& budget_;
  RunStore& store_;
  Watcher& watcher_;
  const bool repeats_;
  const Clock::time_point start_ = Clock::now();
  int64_t done_ = 0, iteration_ = 0;
  RunTotals totals_;
};

/// Throws InvalidArgument where call `number` was of another role.
void check_same_role(const ModelRequest& recorded, const ModelRequest& asked, int64_t number);
/// Throws InvalidArgument where call `number` was asked differently, with the place.
void check_same(const ModelRequest& recorded, const ModelRequest& asked, int64_t number);
void check_same(const std::string& recorded, const std::string& asked, int64_t number);

}  // namespace caravel::voyager
