// How a step is planned: who runs, who is admitted, who is preempted.

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "scheduler/scheduler.h"

namespace caravel::scheduler {

const Plan& Scheduler::plan(int max_tokens, size_t held) {
  CARAVEL_CHECK_LT(steps_in_flight(), config_.max_steps);
  CARAVEL_CHECK(has_work());
  std::erase_if(finished_, [this](const Finished& finished) { return finished.last_step <= completed_; });
  plan_ = &plans_[(planned_ + 1) % plans_.size()];
  plan_->rows.clear();
  plan_->swap_outs.clear();
  plan_->swap_ins.clear();
  plan_->copies.clear();
  plan_->total_tokens = 0;
  blocks_ran_out_ = must_drain_ = false;
  budget_ = step_budget(max_tokens);

  preempt_as_asked();
  // Running and waiting groups in one order. A group that is preempted for lack of blocks comes after the one at hand,
  // so it has no rows in this step yet.
  for (size_t place = 0;;) {
    const bool runs = place < running_.size();
    const bool may_admit = !waiting_.empty() && !blocks_ran_out_ && has_budget();
    if (may_admit && (!runs || before(*waiting_.back(), *running_[place]))) {
      if (!admit(place)) blocks_ran_out_ = true;  // nobody overtakes the one that did not fit
    } else if (runs) {
      schedule(place++);
    } else {
      break;
    }
  }
  order_rows();
  // The queue never stands still in silence.
  CARAVEL_CHECK(!plan_->rows.empty() || held > 0 || steps_in_flight() > 0);
  plan_->step = kv_.begin_step();
  ++planned_;
  CARAVEL_CHECK_EQ(plan_->step, planned_);
  return *plan_;
}

/// Groups that begin with the same block come to lie side by side, so that attention may read what they have in common
/// once; a group's rows stay together, in their order.
void Scheduler::order_rows() {
  const auto key = [](const Row& row) {
    const SequenceGroup& group = *row.sequence->group;
    const cache::BlockTable& table = group.first().kv.tables.front();
    return std::tuple(table.size() == 0 ? cache::kNoBlock : table[0], group.arrival(), row.sequence->index);
  };
  std::ranges::sort(plan_->rows, {}, key);
}

int Scheduler::step_budget(int max_tokens) const {
  constexpr int kShortChunk = 16;
  int decoding = 0;
  for (const GroupPtr& group : running_) {
    if (group->params().background) break;  // they may wait for long chunks, and are the last
    for (const auto& sequence : group->sequences_) {
      decoding += sequence->draws_planned > 0 && sequence->expected_size() - sequence->num_planned == 1;
    }
  }
  if (decoding == 0) return config_.max_num_batched_tokens;
  return std::min(config_.max_num_batched_tokens, std::max(max_tokens, decoding + kShortChunk));
}

bool Scheduler::has_budget() const {
  return plan_->total_tokens < budget_ && plan_->rows.size() < static_cast<size_t>(config_.max_num_seqs);
}

void Scheduler::schedule(size_t place) {
  SequenceGroup& group = *running_[place];
  for (const auto& sequence : group.sequences_) {
    if (!has_budget()) return;
    if (can_go_on(*sequence) && !schedule(*sequence, place)) return;
  }
}

bool Scheduler::schedule(Sequence& sequence, size_t place) {
  const int budget = budget_ - plan_->total_tokens;
  const int first = sequence.num_planned;
  int count = std::min(next_stop(sequence) - first, budget);
  while (kv_.blocks_needed(sequence.kv, first, count) > kv_.free_blocks()) {
    blocks_ran_out_ = true;
    const bool others_could_give = running_.size() > place + 1;
    if (others_could_give && steps_in_flight() == 0) {
      preempt(running_.size() - 1, config_.preemption);
      continue;
    }
    must_drain_ |= others_could_give;
    count = kv_.tokens_that_fit(sequence.kv, first, count);
    if (count == 0) return false;
  }
  kv_.reserve(sequence.kv, first, count, plan_->copies);
  const int end = first + count;
  const bool draws = end >= static_cast<int>(sequence.tokens.size()) && end > sequence.draws_planned;
  plan_->rows.push_back({&sequence, first, count, draws, sequence.restarts});
  plan_->total_tokens += count;
  sequence.num_planned = end;
  if (draws) sequence.draws_planned = end;
  return true;
}

// -- Admission.

bool Scheduler::admit(size_t place) {
  const GroupPtr group = waiting_.back();
  cache::PrefixHit hit;
  while (!fits(*group, hit)) {
    if (steps_in_flight() > 0) {
      must_drain_ |= running_.empty() || running_.size() > place;
      return false;
    }
    if (running_.empty()) break;  // alone it always fits (add() has seen to it), though perhaps by smaller chunks
    if (running_.size() == place) return false;
    preempt(running_.size() - 1, config_.preemption);  // later in order than the one that waits
  }
  if (group->status() == Status::kSwapped) {
    kv_.swap_in(kv_of(*group), plan_->swap_ins);
  } else {
    Sequence& first = group->first();
    kv_.take_prefix(first.kv, hit, group->params().filter);
    first.num_computed = first.num_planned = hit.tokens;
    if (!group->admitted_before_) {
      group->cached_tokens_ = hit.tokens;
      counts_.cached_tokens += hit.tokens;
    }
    group->admitted_before_ = true;
    share_prompt(*group);
  }
  set_status(*group, Status::kRunning);
  waiting_.erase(std::ranges::find(waiting_, group));
  running_.insert(running_.begin() + static_cast<ptrdiff_t>(place), group);
  return true;
}

bool Scheduler::fits(const SequenceGroup& group, cache::PrefixHit& hit) {
  int64_t needed = 0;
  int sequences = group.params().max_sequences;
  for (const GroupPtr& other : running_) sequences += other->params().max_sequences;

  if (group.status() == Status::kSwapped) {
    const int64_t growing =
        std::ranges::count_if(group.sequences_, [](const auto& sequence) { return can_go_on(*sequence); });
    needed = kv_.distinct_blocks(kv_of(group)) + growing * kv_.groups();
  } else {
    const Sequence& first = group.first();
    const int stop = next_stop(first);
    hit = kv_.find_prefix(first.tokens, group.params().salt, std::min(stop, first.most_shared()), group.params().filter,
                          group.prompt_len());
    const int budget = budget_ - plan_->total_tokens;
    const int end = std::min(stop, hit.tokens + budget);
    const int blocks = (end + kv_.block_size() - 1) / kv_.block_size() - hit.tokens / kv_.block_size();
    needed = int64_t{blocks} * kv_.groups() + hit.free_blocks;
  }
  // Some blocks stay free: the next decode step would else preempt what was just admitted.
  const int64_t watermark = std::max(1, kv_.pool().size() / 100);
  return sequences <= config_.max_num_seqs && needed + watermark <= kv_.free_blocks();
}

// -- Preemption.

void Scheduler::preempt(SequenceGroup& group, Preemption how) {
  CARAVEL_CHECK(group.status() == Status::kRunning);
  group.preempt_asked_ = how;
}

void Scheduler::preempt_as_asked() {
  for (size_t place = running_.size(); place-- > 0;) {
    SequenceGroup& group = *running_[place];
    if (group.preempt_asked_.has_value()) {
      preempt(place, *group.preempt_asked_);
    } else if (config_.preempt_every_draw.has_value() && group.drew_) {
      preempt(place, *config_.preempt_every_draw);
    }
  }
}

bool Scheduler::swap_is_better(const SequenceGroup& group, Preemption how) {
  const int blocks = kv_.distinct_blocks(kv_of(group));
  if (how == Preemption::kRecompute || blocks == 0 || blocks > kv_.host_pool().free_blocks()) return false;
  if (how == Preemption::kSwap) return true;
  const int shared = shareable(group);
  int64_t tokens = std::min(group.first().num_planned, shared);
  for (const auto& sequence : group.sequences_) tokens += std::max(0, sequence->num_planned - shared);
  return config_.cost.swap(blocks) < config_.cost.recompute(tokens);
}

void Scheduler::preempt(size_t place, Preemption how) {
  GroupPtr group = std::move(running_[place]);
  running_.erase(running_.begin() + static_cast<ptrdiff_t>(place));
  if (swap_is_better(*group, how)) {
    kv_.swap_out(kv_of(*group), plan_->swap_outs);
    set_status(*group, Status::kSwapped);
    ++counts_.preemptions_swap;
  } else {
    for (const auto& sequence : group->sequences_) {
      kv_.reset(sequence->kv, group->params().salt);
      sequence->num_computed = sequence->num_planned = 0;
      ++sequence->restarts;
    }
    group->shared_len_ = shareable(*group);
    set_status(*group, Status::kWaiting);
    ++counts_.preemptions_recompute;
  }
  group->drew_ = false;
  group->preempt_asked_.reset();
  ++group->preemptions_;
  enqueue(std::move(group));
}

}  // namespace caravel::scheduler
