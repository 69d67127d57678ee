#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/kv_manager.h"
#include "caravel/config.h"
#include "caravel/stats.h"
#include "scheduler/plan.h"
#include "scheduler/preemption_cost.h"
#include "scheduler/sequence.h"

namespace caravel::scheduler {

struct SchedulerConfig {
  int max_num_seqs = 64;             // rows in one step
  int max_num_batched_tokens = 512;  // tokens in one step: the budget that prefill chunks and decode share
  int max_steps = 1;                 // in flight at once
  SchedulingPolicy policy = SchedulingPolicy::kFcfs;
  double priority_ageing = 0;  // seconds of arrival that one step of priority is worth; 0: priorities alone count
  Preemption preemption = Preemption::kAuto;
  PreemptionCost cost;
  cache::KvConfig kv;
  /// For tests: every group is preempted this way (kAuto: by cost) after each step in which it drew. Where the host has
  /// no room, recompute takes the place of swap.
  std::optional<Preemption> preempt_every_draw;
};

/// Iteration-level scheduling (Orca, OSDI'22) of paged sequences (PagedAttention, SOSP'23, section 4.5), without
/// phases: a step is a set of (sequence, chunk) under one token budget. Groups run in order of arrival, or of
/// (priority, arrival): those that run first, then those that wait, none overtaking another. With ageing, a priority is
/// so many seconds that a group counts as having come later: it waits at most that long for those of lower numbers, and
/// the order of two groups never changes. Background groups come after all others, whether these run or wait: they get
/// the tokens, blocks and sequences of a step that the others leave over. Where blocks run out, the last group in that
/// order is preempted, all its sequences together, and goes back to the front of the queue.
///
/// The engine's loop: plan() -> execute -> complete(plan) -> for each row append(), fork(), finish() -> plan() ...
/// Up to max_steps are planned before the oldest is complete; they are executed in the order of planning. Who ends,
/// forks or is preempted meanwhile: rows in flight of a sequence that is finished are to be discarded (an over-run),
/// what a preempted one draws in flight counts. One thread at a time. A step of decodes alone allocates nothing.
class Scheduler {
 public:
  /// Throws InvalidArgument for sizes that make no sense.
  explicit Scheduler(const SchedulerConfig& config);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Throws CapacityError, with the numbers, when the worst case of such a group can never fit the block pool: it would
  /// wait for ever. Any thread may ask.
  void check_fits(const GroupParams& params) const;
  /// Queues a group (at any time, also while steps are in flight). `now`: seconds of a clock that does not go back, for
  /// ageing. Throws as check_fits() does.
  void add(std::shared_ptr<SequenceGroup> group, double now = 0);
  /// Finishes all its sequences, at any time; nothing when it has none left.
  void cancel(SequenceGroup& group);

  /// Groups that are not finished.
  bool has_work() const { return !running_.empty() || !waiting_.empty(); }
  int steps_in_flight() const { return static_cast<int>(planned_ - completed_); }
  /// Whether a further step is worth planning while some are in flight: there is something to compute, and the last one
  /// did not lack blocks that a preemption would give. Nobody is preempted for blocks while steps are in flight, which
  /// would keep them.
  bool may_plan_ahead() const;

  /// Plans the next step; has_work() and fewer than max_steps in flight. `held`: how many sequences have drawn and will
  /// be appended to, or finished, in a later step; without any, and without a step in flight, the rows are never empty:
  /// work that cannot go on is a bug and fails a CHECK. Valid until it is complete and the next one is planned. While
  /// sequences decode (not in the background), the step holds max_tokens at most (but room for all of them and a short
  /// chunk), so that they need not wait for long chunks; an answer does not depend on how its prompt was cut.
  const Plan& plan(int max_tokens = std::numeric_limits<int>::max(), size_t held = 0);
  /// The oldest step in flight, which is `plan`, was executed: its tokens count as computed, full blocks may be found
  /// by others, blocks that no later step uses and that were given up become free. Rows of sequences that were finished
  /// meanwhile are to be discarded (status == kFinished). Now the engine may append, fork and finish.
  void complete(const Plan& plan);

  /// More tokens at the end of a sequence; at most max_tokens of its group in all. In a group that feeds itself they
  /// are what was drawn, in order.
  void append(Sequence& sequence, int32_t token) { append(sequence, std::span<const int32_t>(&token, 1)); }
  void append(Sequence& sequence, std::span<const int32_t> tokens);
  /// A new sequence of the same group with the same tokens, which shares all blocks; a copy is planned when either
  /// first writes into the last one. Where what the group shares of the prompt is still being computed, it waits for
  /// that; what the parent has in flight is the parent's alone, and no draw is. At most max_sequences of the group live
  /// at once.
  Sequence& fork(Sequence& parent, int part = 0);
  /// Ends a sequence, at any time; its blocks are free at once, or when the steps in flight are complete. It stays
  /// readable until then and the next plan(); its group too, even where nobody else holds it.
  void finish(Sequence& sequence);

  /// For tests: preempts a running group when the next step is planned. kSwap falls back on recompute where the host
  /// has no room.
  void preempt(SequenceGroup& group, Preemption how);

  /// Fills all but busy_seconds, generated_tokens and the requests that the engine counts (finished, cancelled).
  void fill(Stats& stats) const;
  const SchedulerConfig& config() const { return config_; }
  const cache::KvManager& kv() const { return kv_; }
  /// Every invariant of the cache and of the queues; aborts with what does not add up.
  void check_integrity() const;

 private:
  using GroupPtr = std::shared_ptr<SequenceGroup>;

  bool before(const SequenceGroup& a, const SequenceGroup& b) const;
  void enqueue(GroupPtr group);
  void retire(SequenceGroup& group);
  Sequence& make_sequence(SequenceGroup& group, int part);
  static void set_status(SequenceGroup& group, Status status);
  std::span<cache::KvSequence* const> kv_of(const SequenceGroup& group);
  void count_slots();

  int step_budget(int max_tokens) const;
  bool has_budget() const;
  void order_rows();
  /// Rows for the group at this place of running_.
  void schedule(size_t place);
  /// One row, as long as budget and blocks allow. False when not even one token fits and nobody after it is left to
  /// preempt.
  bool schedule(Sequence& sequence, size_t place);
  /// Moves the next waiting group to this place of running_. False when it does not fit.
  bool admit(size_t place);
  bool fits(const SequenceGroup& group, cache::PrefixHit& hit);
  void preempt_as_asked();
  bool swap_is_better(const SequenceGroup& group, Preemption how);
  void preempt(size_t place, Preemption how);

  /// How much of the prompt the group's sequences could have from one another, were they to begin now.
  int shareable(const SequenceGroup& group) const;
  /// `child`, which holds nothing, goes on from what `parent` has computed.
  void go_on_from(const Sequence& parent, Sequence& child);
  /// Those that waited for the first sequence go on from it, once it has computed what they share.
  void share_prompt(SequenceGroup& group);
  /// Where the sequence's next chunk ends at the latest; at or before num_planned: there is none yet.
  static int next_stop(const Sequence& sequence);
  static bool can_go_on(const Sequence& sequence) { return next_stop(sequence) > sequence.num_planned; }

  SchedulerConfig config_;
  cache::KvManager kv_;
  std::vector<GroupPtr> running_;  // in order
  std::vector<GroupPtr> waiting_;  // in reverse order: the next one is at the back
  std::vector<Plan> plans_;        // a ring: step k is plans_[k % size]
  Plan* plan_ = nullptr;           // the newest
  uint64_t planned_ = 0;           // steps
  uint64_t completed_ = 0;
  int budget_ = 0;               // tokens of this plan
  bool blocks_ran_out_ = false;  // for this plan: no more admissions
  bool must_drain_ = false;      // for this plan somebody would have been preempted, had no step been in flight
  uint64_t next_arrival_ = 0;
  uint64_t next_sequence_ = 0;
  struct Finished {
    uint64_t last_step;                  // that may have a row of it
    std::unique_ptr<Sequence> sequence;  // of a sequence
    GroupPtr group;                      // or of a group
  };
  std::vector<Finished> finished_;  // readable until the next plan() after that step
  std::vector<cache::KvSequence*> kv_scratch_;
  Stats counts_;
};

}  // namespace caravel::scheduler
