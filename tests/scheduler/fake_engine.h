#pragma once

#include <algorithm>
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

/// Does with a scheduler what an engine does, with a shadow for a model and dice for a sampler. Four tokens of
/// vocabulary, so that prefixes meet.
class FakeEngine {
 public:
  FakeEngine(const SchedulerConfig& config, uint32_t seed)
      : scheduler_(config), shadow_(scheduler_.kv()), random_(seed) {}

  Scheduler& scheduler() { return scheduler_; }
  std::vector<Job>& jobs() { return jobs_; }
  std::mt19937& random() { return random_; }
  int64_t operations() const { return operations_; }
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }

  /// Throws CapacityError as Scheduler::add does.
  void add(Job job, GroupParams params) {
    params.max_tokens = job.length;
    params.max_sequences = job.kind == JobKind::kScore ? job.width + 1 : job.width;
    job.group = std::make_shared<SequenceGroup>(std::move(params));
    scheduler_.add(job.group);
    jobs_.push_back(std::move(job));
    ++operations_;
  }

  void cancel(size_t job) {
    scheduler_.cancel(*jobs_[job].group);
    ++operations_;
  }

  /// Ends one of several sequences, where the others do not wait for it.
  void finish_one(size_t job) {
    const auto& sequences = jobs_[job].group->sequences();
    if (jobs_[job].kind != JobKind::kSample || sequences.size() < 2) return;
    finish(*sequences[static_cast<size_t>(below(static_cast<int>(sequences.size())))]);
  }

  /// One step; sometimes a job, or a sequence of it, ends while it is in flight.
  void step(int cancel_percent = 0) {
    Stats before, after;
    scheduler_.fill(before);
    const Plan& plan = scheduler_.plan();
    scheduler_.fill(after);
    check_limits(plan);
    // Where blocks ran out, who was preempted has made room, but nobody is admitted in the same step.
    const bool preempted =
        after.preemptions_recompute + after.preemptions_swap != before.preemptions_recompute + before.preemptions_swap;
    if (!preempted) check_background(plan);
    shadow_.execute(plan);
    const auto ended = static_cast<size_t>(below(static_cast<int>(jobs_.size())));
    if (below(100) < cancel_percent) cancel(ended);
    if (below(100) < cancel_percent) finish_one(ended);
    scheduler_.complete(plan);
    ++operations_;
    for (const Row& row : plan.rows) {
      if (row.sequence->status == Status::kFinished) continue;
      if (row.draws) {
        drawn(*row.sequence);
      } else if (below(20) == 0) {
        fork_early(*row.sequence);
      }
    }
    std::erase_if(jobs_, [](const Job& job) { return job.group->status() == Status::kFinished; });
  }

  void drain() {
    while (scheduler_.has_work()) step();
    scheduler_.check_integrity();
    ASSERT_EQ(scheduler_.kv().pool().used_blocks(), 0);
    ASSERT_EQ(scheduler_.kv().host_pool().used_blocks(), 0);
  }

 private:
  int32_t token() { return below(4); }

  void check_limits(const Plan& plan) {
    int tokens = 0;
    for (const Row& row : plan.rows) tokens += row.count;
    ASSERT_EQ(tokens, plan.total_tokens);
    ASSERT_LE(tokens, scheduler_.config().max_num_batched_tokens);
    ASSERT_LE(plan.rows.size(), static_cast<size_t>(scheduler_.config().max_num_seqs));
    ASSERT_FALSE(plan.rows.empty());
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
    if (job.kind == JobKind::kSample && room && !whole_blocks) fork(sequence);
  }

  Job& job_of(const Sequence& sequence) {
    return *std::ranges::find(jobs_, sequence.group, [](const Job& job) { return job.group.get(); });
  }

  void drawn(Sequence& sequence) {
    Job& job = job_of(sequence);
    const int size = static_cast<int>(sequence.tokens.size());
    switch (job.kind) {
      case JobKind::kSample:
        while (size == sequence.prompt_len && static_cast<int>(job.group->sequences().size()) < job.width) {
          grow(fork(sequence), job);
        }
        grow(sequence, job);
        break;
      case JobKind::kBeam:
        select_beams(job);
        break;
      case JobKind::kScore:
        score(sequence, job);
        break;
    }
  }

  void grow(Sequence& sequence, const Job& job) {
    if (static_cast<int>(sequence.tokens.size()) == job.length || below(40) == 0) return finish(sequence);
    append(sequence);
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
  int64_t operations_ = 0;
};

}  // namespace caravel::scheduler
