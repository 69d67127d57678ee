#include "scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace caravel::scheduler {
namespace {

const SchedulerConfig& checked(const SchedulerConfig& config) {
  if (config.max_num_seqs < 1 || config.max_num_batched_tokens < 1 || config.max_steps < 1) {
    throw fail<InvalidArgument>("{} steps at once of {} sequences and {} tokens: give at least one of each",
                                config.max_steps, config.max_num_seqs, config.max_num_batched_tokens);
  }
  return config;
}

}  // namespace

Scheduler::Scheduler(const SchedulerConfig& config)
    : config_(checked(config)), kv_(config.kv), plans_(static_cast<size_t>(config.max_steps)) {
  const auto rows = static_cast<size_t>(config_.max_num_seqs);
  for (Plan& plan : plans_) {
    plan.rows.reserve(rows);
    plan.copies.reserve(rows * config_.kv.windows.size());
  }
  running_.reserve(rows);
}

Scheduler::~Scheduler() {
  while (has_work()) cancel(running_.empty() ? *waiting_.back() : *running_.back());
}

void Scheduler::check_fits(const GroupParams& params) const {
  const int prompt = static_cast<int>(params.prompt.size());
  const int64_t worst = kv_.capacity().worst_case_blocks(prompt, params.max_tokens, params.max_sequences);
  if (worst > kv_.pool().size()) {
    throw fail<CapacityError>(
        "{} sequence(s) of up to {} tokens (prompt: {}) may need {} KV blocks of {} tokens, and there are {}: ask for "
        "fewer tokens or sequences, or give the KV cache more memory",
        params.max_sequences, params.max_tokens, prompt, worst, kv_.block_size(), kv_.pool().size());
  }
}

void Scheduler::add(std::shared_ptr<SequenceGroup> group, double now) {
  const GroupParams& params = group->params();
  CARAVEL_CHECK(group->sequences_.empty());
  check_fits(params);
  group->arrival_ = next_arrival_++;
  if (config_.policy == SchedulingPolicy::kPriority) {
    const double age = config_.priority_ageing;
    group->rank_ = age == 0 ? params.priority : params.priority * age + now;
  }
  Sequence& sequence = make_sequence(*group, 0);
  sequence.tokens.assign(params.prompt.begin(), params.prompt.end());
  group->shared_len_ = shareable(*group);
  enqueue(std::move(group));
}

Sequence& Scheduler::make_sequence(SequenceGroup& group, int part) {
  Sequence& sequence = *group.sequences_.emplace_back(std::make_unique<Sequence>());
  sequence.id = next_sequence_++;
  sequence.group = &group;
  sequence.index = group.sequences_made_++;
  sequence.prompt_len = group.prompt_len();
  sequence.status = group.status_;
  sequence.part = part;
  sequence.tokens.reserve(static_cast<size_t>(group.params().max_tokens));
  kv_.register_sequence(sequence.kv, group.params().salt, group.params().max_tokens, group.status_ == Status::kSwapped);
  return sequence;
}

void Scheduler::append(Sequence& sequence, std::span<const int32_t> tokens) {
  CARAVEL_CHECK(sequence.status != Status::kFinished);
  CARAVEL_CHECK_LE(sequence.tokens.size() + tokens.size(), static_cast<size_t>(sequence.group->params().max_tokens));
  sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
}

Sequence& Scheduler::fork(Sequence& parent, int part) {
  SequenceGroup& group = *parent.group;
  CARAVEL_CHECK(parent.status != Status::kFinished);
  CARAVEL_CHECK_EQ(parent.num_drawn, parent.draws_planned);
  CARAVEL_CHECK_LT(group.sequences_.size(), static_cast<size_t>(group.params().max_sequences));
  Sequence& child = make_sequence(group, part);
  child.tokens.assign(parent.tokens.begin(), parent.tokens.end());
  child.num_drawn = child.draws_planned = parent.num_drawn;
  if (parent.num_computed >= group.shared_len_) go_on_from(parent, child);
  return child;
}

void Scheduler::finish(Sequence& sequence) {
  SequenceGroup& group = *sequence.group;
  CARAVEL_CHECK(sequence.status != Status::kFinished);
  if (&sequence == &group.first() && group.others_wait()) go_on_from(sequence, *group.sequences_[1]);
  kv_.release(sequence.kv);
  sequence.status = Status::kFinished;
  const auto place = std::ranges::find(group.sequences_, &sequence, &std::unique_ptr<Sequence>::get);
  finished_.push_back({.last_step = planned_, .sequence = std::move(*place), .group = nullptr});
  group.sequences_.erase(place);
  if (group.sequences_.empty()) retire(group);
}

void Scheduler::cancel(SequenceGroup& group) {
  while (!group.sequences_.empty()) finish(*group.sequences_.back());
}

void Scheduler::retire(SequenceGroup& group) {
  auto& queue = group.status_ == Status::kRunning ? running_ : waiting_;
  const auto place = std::ranges::find(queue, &group, &GroupPtr::get);
  CARAVEL_CHECK(place != queue.end());
  group.status_ = Status::kFinished;
  finished_.push_back({.last_step = planned_, .sequence = nullptr, .group = std::move(*place)});
  queue.erase(place);
}

bool Scheduler::before(const SequenceGroup& a, const SequenceGroup& b) const {
  if (a.params().background != b.params().background) return b.params().background;
  return std::pair(a.rank_, a.arrival_) < std::pair(b.rank_, b.arrival_);
}

void Scheduler::enqueue(GroupPtr group) {
  const auto later = [this](const GroupPtr& a, const GroupPtr& b) { return before(*b, *a); };
  waiting_.insert(std::ranges::upper_bound(waiting_, group, later), std::move(group));
}

void Scheduler::set_status(SequenceGroup& group, Status status) {
  group.status_ = status;
  for (const auto& sequence : group.sequences_) sequence->status = status;
}

std::span<cache::KvSequence* const> Scheduler::kv_of(const SequenceGroup& group) {
  kv_scratch_.clear();
  for (const auto& sequence : group.sequences_) kv_scratch_.push_back(&sequence->kv);
  return kv_scratch_;
}

void Scheduler::complete(const Plan& plan) {
  CARAVEL_CHECK_LT(completed_, planned_);
  ++completed_;
  CARAVEL_CHECK_EQ(plan.step, completed_);
  kv_.end_step(plan.step);
  ++counts_.steps;
  for (const Row& row : plan.rows) {
    Sequence& sequence = *row.sequence;
    counts_.computed_tokens += row.count;
    counts_.prompt_tokens += std::clamp(sequence.prompt_len - row.first, 0, row.count);
    if (sequence.status == Status::kFinished) continue;
    if (row.draws) {
      sequence.num_drawn = row.first + row.count;
      sequence.group->drew_ = true;
    }
    if (row.restarts == sequence.restarts) sequence.num_computed = row.first + row.count;
  }
  count_slots();
  for (const Row& row : plan.rows) {
    Sequence& sequence = *row.sequence;
    if (sequence.status == Status::kFinished || row.restarts != sequence.restarts) continue;
    CARAVEL_CHECK_LE(static_cast<size_t>(sequence.num_computed), sequence.tokens.size());
    kv_.commit(sequence.kv, sequence.tokens, sequence.num_computed);
    share_prompt(*sequence.group);
  }
}

void Scheduler::count_slots() {
  kv_.begin_count();
  for (const GroupPtr& group : running_) {
    for (const auto& sequence : group->sequences_) {
      counts_.kv_slots_reserved_unused += kv_.unused_slots(sequence->kv, sequence->num_planned);
    }
  }
  counts_.kv_slots_reserved += int64_t{kv_.pool().used_blocks()} * kv_.block_size();
}

// -- The part of a prompt that a group's sequences share is computed once, however often it is lost.

int Scheduler::shareable(const SequenceGroup& group) const {
  int length = group.prompt_len();
  for (const auto& sequence : group.sequences_) length = std::min(length, sequence->most_shared());
  return length / kv_.block_size() * kv_.block_size();
}

void Scheduler::go_on_from(const Sequence& parent, Sequence& child) {
  kv_.share(parent.kv, child.kv);
  child.num_computed = child.num_planned = parent.num_computed;
}

void Scheduler::share_prompt(SequenceGroup& group) {
  const Sequence& first = group.first();
  if (first.num_computed < group.shared_len_) return;
  for (const auto& other : group.sequences_) {
    if (other->num_computed < group.shared_len_) go_on_from(first, *other);
  }
}

int Scheduler::next_stop(const Sequence& sequence) {
  const SequenceGroup& group = *sequence.group;
  if (group.others_wait()) return &sequence == &group.first() ? group.shared_len_ : 0;
  const int known = static_cast<int>(sequence.tokens.size());
  const int expected = sequence.expected_size();
  // Of what is not known yet, who executes a step knows the last draw alone: one token, at the end of a row.
  const bool last_draw = expected == sequence.draws_planned + 1;
  return last_draw && (expected - known <= 1 || sequence.num_planned == expected - 1) ? expected : known;
}

bool Scheduler::may_plan_ahead() const {
  if (must_drain_) return false;
  if (!waiting_.empty() && !blocks_ran_out_) return true;
  return std::ranges::any_of(running_, [](const GroupPtr& group) {
    return std::ranges::any_of(group->sequences_, [](const auto& sequence) { return can_go_on(*sequence); });
  });
}

void Scheduler::fill(Stats& stats) const {
  stats.waiting_requests = stats.swapped_requests = 0;
  for (const GroupPtr& group : waiting_) {
    ++(group->status() == Status::kSwapped ? stats.swapped_requests : stats.waiting_requests);
  }
  stats.running_requests = static_cast<int>(running_.size());
  stats.total_blocks = kv_.pool().size();
  stats.used_blocks = kv_.pool().used_blocks();
  stats.cached_blocks = kv_.pool().cached_blocks();
  stats.block_size = kv_.block_size();
  stats.steps = counts_.steps;
  stats.computed_tokens = counts_.computed_tokens;
  stats.prompt_tokens = counts_.prompt_tokens;
  stats.cached_tokens = counts_.cached_tokens;
  stats.preemptions_recompute = counts_.preemptions_recompute;
  stats.preemptions_swap = counts_.preemptions_swap;
  stats.kv_slots_reserved = counts_.kv_slots_reserved;
  stats.kv_slots_reserved_unused = counts_.kv_slots_reserved_unused;
}

void Scheduler::check_integrity() const {
  kv_.check_integrity();
  const auto check_group = [this](const SequenceGroup& group) {
    CARAVEL_CHECK(!group.sequences_.empty());
    for (const auto& sequence : group.sequences_) {
      CARAVEL_CHECK(sequence->status == group.status());
      CARAVEL_CHECK(sequence->kv.on_host == (group.status() == Status::kSwapped));
      CARAVEL_CHECK_LE(sequence->num_computed, sequence->num_planned);
      CARAVEL_CHECK_LE(sequence->num_planned, sequence->expected_size());
      if (steps_in_flight() == 0) CARAVEL_CHECK_EQ(sequence->num_computed, sequence->num_planned);
      const int entries = sequence->kv.tables.front().size();
      CARAVEL_CHECK_GE(entries * kv_.block_size(), sequence->num_planned);
      if (group.status() == Status::kWaiting) CARAVEL_CHECK_EQ(entries, 0);
      if (sequence.get() == &group.first()) continue;
      if (group.others_wait()) {
        CARAVEL_CHECK_EQ(sequence->num_computed, 0);
        CARAVEL_CHECK_EQ(entries, 0);
      } else {
        CARAVEL_CHECK_GE(sequence->num_computed, group.shared_len_);
      }
    }
  };
  for (size_t i = 0; i < running_.size(); ++i) {
    CARAVEL_CHECK(running_[i]->status() == Status::kRunning);
    if (i > 0) CARAVEL_CHECK(before(*running_[i - 1], *running_[i]));
    check_group(*running_[i]);
  }
  for (size_t i = 0; i < waiting_.size(); ++i) {
    CARAVEL_CHECK(waiting_[i]->status() == Status::kWaiting || waiting_[i]->status() == Status::kSwapped);
    if (i > 0) CARAVEL_CHECK(before(*waiting_[i], *waiting_[i - 1]));
    check_group(*waiting_[i]);
  }
}

}  // namespace caravel::scheduler
