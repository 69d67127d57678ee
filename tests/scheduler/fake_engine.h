#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "scheduler/scheduler.h"
#include "scheduler/shadow_kv.h"

namespace caravel::scheduler {

enum class JobKind { kSample, kBeam, kScore };

/// One request of the fake engine.
struct Job {
  JobKind kind = JobKind::kSample;
  int width = 1;      // n, beams, or continuations at once
  int length = 0;     // tokens at which a sequence ends
  int remaining = 0;  // kScore: continuations not yet begun
  std::shared_ptr<SequenceGroup> group;
};

/// Does with a scheduler what an engine does, with a shadow for a model and dice for a sampler; steps in flight are
/// executed at any time, and collected late. Four tokens of vocabulary, so that prefixes meet.
class FakeEngine {
 public:
  FakeEngine(const SchedulerConfig& config, uint32_t seed)
      : scheduler_(config), shadow_(scheduler_.kv()), random_(seed) {}

  Scheduler& scheduler() { return scheduler_; }
  std::vector<Job>& jobs() { return jobs_; }
  std::mt19937& random() { return random_; }
  int64_t operations() const { return operations_; }
  /// Rows with a token that was not known when they were planned, and rows of sequences that had ended.
  int64_t ahead() const { return ahead_; }
  int64_t discarded() const { return discarded_; }
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }

  /// Throws CapacityError as Scheduler::add does.
  void add(Job job, GroupParams params) {
    params.max_tokens = job.length;
    params.max_sequences = job.kind == JobKind::kScore ? job.width + 1 : job.width;
    params.feeds_itself = job.kind == JobKind::kSample && below(4) != 0;
    job.group = std::make_shared<SequenceGroup>(std::move(params));
    scheduler_.add(job.group);
    jobs_.push_back(std::move(job));
    ++operations_;
  }

  void cancel(size_t job) {
    scheduler_.cancel(*jobs_[job].group);
    forget_finished();
    ++operations_;
  }

  /// Ends one of several sequences, where the others do not wait for it.
  void finish_one(size_t job) {
    const auto& sequences = jobs_[job].group->sequences();
    if (jobs_[job].kind != JobKind::kSample || sequences.size() < 2) return;
    finish(*sequences[static_cast<size_t>(below(static_cast<int>(sequences.size())))]);
  }

  /// Plans what may be planned, or less, and collects a step; sometimes a job, or a sequence of it, ends between.
  void step(int cancel_percent = 0) {
    while (may_plan()) {
      plan();
      maybe_end(cancel_percent);
      if (below(3) == 0) execute_next();
      if (below(4) == 0) break;
    }
    if (in_flight_.empty() || (may_plan() && below(4) == 0)) return;
    collect();
  }

  void drain() {
    while (scheduler_.has_work()) step();
    while (!in_flight_.empty()) collect();
    scheduler_.check_integrity();
    ASSERT_EQ(scheduler_.kv().pool().used_blocks(), 0);
    ASSERT_EQ(scheduler_.kv().host_pool().used_blocks(), 0);
  }

 private:
  struct InFlight {
    const Plan* plan;
    ShadowKv::Step step;
  };

  int32_t token() { return below(4); }

  bool may_plan() const {
    if (!scheduler_.has_work()) return false;
    if (in_flight_.empty()) return true;
    return scheduler_.steps_in_flight() < scheduler_.config().max_steps && scheduler_.may_plan_ahead();
  }

  void plan() {
    const bool alone = in_flight_.empty();
    Stats before, after;
    scheduler_.fill(before);
    const Plan& plan = scheduler_.plan();
    scheduler_.fill(after);
    check_limits(plan, alone);
    // Where blocks ran out, who was preempted has made room, but nobody is admitted in the same step.
    const bool preempted =
        after.preemptions_recompute + after.preemptions_swap != before.preemptions_recompute + before.preemptions_swap;
    if (!preempted && alone) check_background(plan);
    in_flight_.push_back({&plan, shadow_.take(plan)});
    for (const Row& row : plan.rows) ahead_ += row.first + row.count > static_cast<int>(row.sequence->tokens.size());
    ++operations_;
  }

  void maybe_end(int cancel_percent) {
    if (jobs_.empty()) return;
    const auto ended = static_cast<size_t>(below(static_cast<int>(jobs_.size())));
    if (below(100) < cancel_percent) {
      cancel(ended);
    } else if (below(100) < cancel_percent) {
      finish_one(ended);
    }
  }

  /// The oldest that is not executed.
  void execute_next() {
    const auto next = std::ranges::find(in_flight_, false, [](const InFlight& flight) { return flight.step.executed; });
    if (next != in_flight_.end()) shadow_.execute(next->step, [this] { return token(); });
  }

  void collect() {
    if (!in_flight_.front().step.executed) execute_next();
    const InFlight done = std::move(in_flight_.front());
    in_flight_.pop_front();
    scheduler_.complete(*done.plan);
    for (size_t i = 0; i < done.plan->rows.size(); ++i) {
      const Row& row = done.plan->rows[i];
      if (row.sequence->status == Status::kFinished) {
        ++discarded_;
      } else if (row.draws) {
        drawn(*row.sequence, done.step.rows[i].drawn);
      } else if (below(20) == 0) {
        fork_early(*row.sequence);
      }
    }
    forget_finished();
  }

  void forget_finished() {
    std::erase_if(jobs_, [](const Job& job) { return job.group->status() == Status::kFinished; });
  }

  void check_limits(const Plan& plan, bool alone) {
    int tokens = 0;
    for (const Row& row : plan.rows) tokens += row.count;
    ASSERT_EQ(tokens, plan.total_tokens);
    ASSERT_LE(tokens, scheduler_.config().max_num_batched_tokens);
    ASSERT_LE(plan.rows.size(), static_cast<size_t>(scheduler_.config().max_num_seqs));
    ASSERT_TRUE(!alone || !plan.rows.empty());
  }

  /// Nothing runs in the background while something else waits to be admitted.
  void check_background(const Plan& plan) {
    const bool waits = std::ranges::any_of(jobs_, [](const Job& job) {
      return !job.group->params().background && job.group->status() != Status::kRunning;
    });
    for (const Row& row : plan.rows) ASSERT_FALSE(waits && row.sequence->group->params().background);
  }

  void append(Sequence& sequence, int count = 1) {
    for (int i = 0; i < count; ++i) scheduler_.append(sequence, token());
    operations_ += count;
  }
  void finish(Sequence& sequence) {
    scheduler_.finish(sequence);
    ++operations_;
  }
  Sequence& fork(Sequence& sequence) {
    ++operations_;
    return scheduler_.fork(sequence);
  }

  /// Before it has drawn. Where the prompt ends with a block, each would need one of its own for the last token, which
  /// is more than check_fits() counts.
  void fork_early(Sequence& sequence) {
    const Job& job = job_of(sequence);
    const bool room = static_cast<int>(job.group->sequences().size()) < job.width;
    const bool whole_blocks = sequence.prompt_len % scheduler_.kv().block_size() == 0;
    const bool draws = sequence.draws_planned > sequence.num_drawn;
    if (job.kind == JobKind::kSample && room && !whole_blocks && !draws) fork(sequence);
  }

  Job& job_of(const Sequence& sequence) {
    return *std::ranges::find(jobs_, sequence.group, [](const Job& job) { return job.group.get(); });
  }

  void drawn(Sequence& sequence, int32_t token) {
    Job& job = job_of(sequence);
    const int size = static_cast<int>(sequence.tokens.size());
    switch (job.kind) {
      case JobKind::kSample:
        while (size == sequence.prompt_len && static_cast<int>(job.group->sequences().size()) < job.width) {
          grow(fork(sequence), job, this->token());
        }
        grow(sequence, job, token);
        break;
      case JobKind::kBeam:
        select_beams(job);
        break;
      case JobKind::kScore:
        score(sequence, job);
        break;
    }
  }

  void grow(Sequence& sequence, const Job& job, int32_t token) {
    if (static_cast<int>(sequence.tokens.size()) == job.length || below(40) == 0) return finish(sequence);
    scheduler_.append(sequence, token);
    ++operations_;
  }

  /// Once all beams have drawn: each place of the next generation takes a beam at random.
  void select_beams(Job& job) {
    std::vector<Sequence*> beams;
    for (const auto& sequence : job.group->sequences()) {
      if (sequence->num_drawn < static_cast<int>(sequence->tokens.size())) return;
      beams.push_back(sequence.get());
    }
    if (static_cast<int>(beams.front()->tokens.size()) == job.length) {
      for (Sequence* beam : beams) finish(*beam);
      return;
    }
    std::vector<int> heirs(beams.size(), 0);
    for (int i = 0; i < job.width; ++i) ++heirs[static_cast<size_t>(below(static_cast<int>(beams.size())))];
    for (size_t i = 0; i < beams.size(); ++i) {
      if (heirs[i] == 0) finish(*beams[i]);
    }
    for (size_t i = 0; i < beams.size(); ++i) {
      for (int k = 1; k < heirs[i]; ++k) append(fork(*beams[i]));
      if (heirs[i] > 0) append(*beams[i]);
    }
  }

  /// The parent holds the prefix; children are forked with all their tokens at once.
  void score(Sequence& sequence, Job& job) {
    Sequence& parent = job.group->first();
    if (&sequence != &parent) finish(sequence);
    const int room = job.length - parent.prompt_len;
    while (job.remaining > 0 && static_cast<int>(job.group->sequences().size()) <= job.width) {
      append(fork(parent), 1 + below(room));
      --job.remaining;
    }
    if (job.group->sequences().size() == 1) finish(parent);
  }

  Scheduler scheduler_;
  ShadowKv shadow_;
  std::mt19937 random_;
  std::vector<Job> jobs_;
  std::deque<InFlight> in_flight_;
  int64_t operations_ = 0;
  int64_t ahead_ = 0;
  int64_t discarded_ = 0;
};

}  // namespace caravel::scheduler
