#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace caravel {

/// An amount that several share: each holds a part of it, and gives it back by dropping it. Copies are the same budget.
/// Any thread; a part is used by one thread at a time, and may outlive the budget.
class Budget {
 public:
  static constexpr int64_t kUnbounded = std::numeric_limits<int64_t>::max();

 private:
  struct State {
    explicit State(int64_t amount) : total(amount) {}
    const int64_t total;
    std::atomic<int64_t> used = 0;
  };

 public:
  /// One without a bound.
  Budget() : Budget(kUnbounded) {}
  explicit Budget(int64_t total) : state_(std::make_shared<State>(total)) {}

  class Part {
   public:
    Part() = default;
    ~Part() { resize(0); }
    Part(Part&& other) noexcept : state_(std::move(other.state_)), amount_(std::exchange(other.amount_, 0)) {}
    Part& operator=(Part&& other) noexcept {
      if (this != &other) {
        resize(0);
        state_ = std::move(other.state_);
        amount_ = std::exchange(other.amount_, 0);
      }
      return *this;
    }

    int64_t amount() const { return amount_; }
    /// Makes it as large as that. False, and it stays as it was, where the others leave less.
    bool resize(int64_t amount) {
      if (state_ == nullptr) return amount == 0;
      int64_t used = state_->used.load();
      do {
        if (amount > amount_ && amount - amount_ > state_->total - used) return false;
      } while (!state_->used.compare_exchange_weak(used, used - amount_ + amount));
      amount_ = amount;
      return true;
    }

   private:
    friend class Budget;
    std::shared_ptr<State> state_;
    int64_t amount_ = 0;
  };

  /// An empty part.
  Part part() const {
    Part part;
    part.state_ = state_;
    return part;
  }
  int64_t total() const { return state_->total; }
  int64_t used() const { return state_->used.load(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace caravel
