#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/kv_manager.h"
#include "cache/kv_sequence.h"
#include "caravel/config.h"

namespace caravel::scheduler {

class SequenceGroup;

/// Whoever works with a group, as the scheduler keeps it for them.
class GroupOwner {
 protected:
  ~GroupOwner() = default;
};

enum class Status : uint8_t {
  kWaiting,   // not admitted, or preempted by recompute: holds no block
  kRunning,   // its blocks are on the device
  kSwapped,   // preempted: its blocks are on the host
  kFinished,  // holds nothing; see Scheduler::finish() for how long it stays readable
};

/// A list of tokens; the first num_computed have their keys and values in the cache, and those up to num_planned will
/// have them when the steps in flight are complete. Every step moves both toward expected_size(); that is all there is
/// to prefill and decode. The scheduler alone changes it; the engine reads it and keeps in it what is its own.
struct Sequence {
  uint64_t id = 0;  // unique in its scheduler, never used again
  SequenceGroup* group = nullptr;
  int index = 0;                // order of creation in its group; the first is 0
  std::vector<int32_t> tokens;  // prompt, then what was appended; capacity max_tokens of the group
  int prompt_len = 0;           // how many of the tokens are the group's prompt, in forks too
  int num_computed = 0;
  int num_planned = 0;
  int num_drawn = 0;      // how many tokens there were when logits after the last one were last given
  int draws_planned = 0;  // the same, when the steps in flight are complete
  int restarts = 0;       // how often it was preempted by recompute: keys and values of rows before are dropped
  Status status = Status::kWaiting;
  int part = 0;      // the engine's: what of the group's request it is
  int slot = -1;     // the engine's: where its block tables stand
  int sampler = -1;  // the engine's: what draws the tokens of a group that feeds itself

  /// Slot of position p in KV group g: kv.tables[g][p / block_size] * block_size + p % block_size.
  cache::KvSequence kv;

  /// Tokens that it has, and those that are drawn in flight and will join, unless it ends before.
  int expected_size() const;
  /// How many of its tokens blocks of others may serve: the last one is computed while logits after it are wanted.
  int most_shared() const {
    const int size = static_cast<int>(tokens.size());
    return draws_planned >= size ? size : size - 1;
  }
};

/// What a group is made of.
struct GroupParams {
  std::vector<int32_t> prompt;  // at least one token
  int max_tokens = 0;           // the most that one of its sequences ever holds, prompt included; at least the prompt
  int max_sequences = 1;        // the most that live at once: n, the beams, or a prefix and the continuations in work
  int priority = 0;             // lower runs first, under SchedulingPolicy::kPriority
  bool background = false;      // after all that is not, under every policy
  /// What a sequence draws is its next token, unless it ends: once the group has all its sequences, rows may be planned
  /// before their token is known. Else a sequence waits for append() after each draw.
  bool feeds_itself = false;
  std::string salt;  // prompts of different salts never share cached blocks
  /// Set where log-probabilities of the prompt are wanted: says whether a cached block of KV group 0 has them, whenever
  /// admission is tried, and reads them when the group is admitted, after a preemption too. A hit then ends one block
  /// before the last usable one (the log-probability of a token comes from the logits one position before it). Must
  /// outlive the group.
  cache::CachedBlockFilter* filter = nullptr;
  GroupOwner* owner = nullptr;  // must outlive the group's work
};

/// The sequences that answer one request. They are admitted, preempted and resumed together. Made by the engine, which
/// may keep it; changed by the scheduler alone once added.
class SequenceGroup {
 public:
  explicit SequenceGroup(GroupParams params);

  const GroupParams& params() const { return params_; }
  int prompt_len() const { return prompt_len_; }
  /// Those that live, in order of creation.
  const std::vector<std::unique_ptr<Sequence>>& sequences() const { return sequences_; }
  Sequence& first() const { return *sequences_.front(); }
  /// What all of them share of the prompt is computed by the first alone. Until it is, the others have computed nothing
  /// and hold no block.
  bool others_wait() const { return sequences_.size() > 1 && first().num_computed < shared_len_; }
  Status status() const { return status_; }
  uint64_t arrival() const { return arrival_; }
  /// Prompt tokens that the prefix cache had when it was first admitted.
  int cached_tokens() const { return cached_tokens_; }
  int preemptions() const { return preemptions_; }

 private:
  friend class Scheduler;

  GroupParams params_;
  int prompt_len_;
  std::vector<std::unique_ptr<Sequence>> sequences_;
  Status status_ = Status::kWaiting;
  uint64_t arrival_ = 0;
  double rank_ = 0;  // the lowest runs first, then the first to arrive
  int cached_tokens_ = 0;
  int preemptions_ = 0;
  int sequences_made_ = 0;
  int shared_len_ = 0;  // how much of the prompt its sequences share when they begin; a multiple of block_size
  bool admitted_before_ = false;
  bool drew_ = false;  // since its last preemption
  std::optional<Preemption> preempt_asked_;
};

}  // namespace caravel::scheduler
