#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "grammar/state_space.h"
#include "sampler/token_mask.h"

namespace caravel::grammar {

/// Where one answer is in its grammar, and what may be drawn next. One thread at a time: it is handed to a MaskThread,
/// and is its own again once mask().wait() has returned.
class Constraint {
 public:
  /// vocab_size: how many logits there are, which may be more than the vocabulary has. end_ids: the tokens that end an
  /// answer; they are allowed where the text is whole, and nowhere else. max_bytes: nothing may follow once the space
  /// has grown beyond them.
  Constraint(std::shared_ptr<StateSpace> space, size_t vocab_size, std::vector<int32_t> end_ids,
             size_t max_bytes = std::numeric_limits<size_t>::max());

  /// `token`, which was drawn, joins the text: finds where that leads and what may follow. Never throws.
  void advance(int32_t token);
  /// What may follow at the beginning. Never throws.
  void begin();

  const sampler::TokenMask& mask() const { return mask_; }
  /// The text up to here is whole.
  bool complete() const { return complete_; }
  /// Why nothing may follow; empty: the grammar says so.
  const std::string& error() const { return error_; }

 private:
  friend class MaskThread;
  void find_mask();

  const std::shared_ptr<StateSpace> space_;
  const std::vector<int32_t> end_ids_;
  const size_t max_bytes_;
  int32_t state_;
  bool complete_ = false;
  std::string error_;
  sampler::TokenMask mask_;
};

/// Makes masks while the model runs. Asleep where there is nothing to do. Any thread may call it.
class MaskThread {
 public:
  MaskThread() = default;
  /// Waits for what was posted.
  ~MaskThread();
  MaskThread(const MaskThread&) = delete;
  MaskThread& operator=(const MaskThread&) = delete;

  static constexpr int32_t kBegin = -1;
  /// constraint->advance(token), or begin(), soon.
  void post(std::shared_ptr<Constraint> constraint, int32_t token);

 private:
  struct Job {
    std::shared_ptr<Constraint> constraint;
    int32_t token;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;  // started by the first job
};

}  // namespace caravel::grammar
