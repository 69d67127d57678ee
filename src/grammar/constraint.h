#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "grammar/state_space.h"
#include "grammar/token_mask.h"

namespace caravel::grammar {

/// Where one answer is in its grammar, and what may be drawn next. One thread at a time: it is handed to MaskThreads,
/// and is its own again once mask() is ready.
class Constraint {
 public:
  /// vocab_size: how many logits there are, which may be more than the vocabulary has. end_ids: the tokens that end an
  /// answer; they are allowed where the text is whole, and nowhere else.
  Constraint(std::shared_ptr<StateSpace> space, size_t vocab_size, std::vector<int32_t> end_ids);

  /// `token`, which was drawn, joins the text. Never throws; find_mask() comes next.
  void advance(int32_t token);
  /// Finds what may follow. False: so much work was not enough, and the next call goes on. Never throws.
  bool find_mask(int64_t work = StateSpace::kAllWork);

  TokenMask& mask() { return mask_; }
  /// The text up to here is whole.
  bool complete() const { return complete_; }
  /// Why nothing may follow; empty: the grammar says so.
  const std::string& error() const { return error_; }

 private:
  Place place_;
  const std::vector<int32_t> end_ids_;
  bool complete_ = false;
  std::string error_;
  TokenMask mask_;
};

/// Makes masks while the model runs, so that one that takes long holds up nobody else's: a mask has a short share of
/// work on a thread of its own; what is not done by then goes on, in turns, on a thread that the system lets run after
/// all others. Masks that nobody holds any more are given up. Asleep where there is nothing to do. Any thread may call
/// it.
class MaskThreads {
 public:
  /// What its threads call; any may be empty.
  struct Calls {
    std::function<void()> ready;   // a mask is made that was awaited
    std::function<void()> idle;    // some seconds after the last mask was made
    std::function<void()> before;  // a mask is begun
  };
  explicit MaskThreads(Calls calls) : calls_(std::move(calls)) {}
  /// What is not made stays so.
  ~MaskThreads();
  MaskThreads(const MaskThreads&) = delete;
  MaskThreads& operator=(const MaskThreads&) = delete;

  static constexpr int32_t kBegin = -1;
  /// The mask after `token`, or that of the beginning, soon.
  void post(std::shared_ptr<Constraint> constraint, int32_t token);

 private:
  struct Job {
    std::shared_ptr<Constraint> constraint;
    int32_t token;
  };
  struct Lane {
    int64_t work;   // of one turn
    bool at_first;  // where masks are begun
    std::condition_variable changed = {};
    std::deque<Job> jobs = {};
    std::thread thread = {};  // started by the first job
  };
  void add(Lane& lane, Job job);
  void run(Lane& lane);

  const Calls calls_;
  std::mutex mutex_;  // guards the lanes' jobs and stopping_
  bool stopping_ = false;
  // Configs that a turn looks at: some two and ten milliseconds.
  Lane first_{.work = 20'000, .at_first = true};
  Lane later_{.work = 100'000, .at_first = false};
};

}  // namespace caravel::grammar
