#pragma once

#include <atomic>

namespace caravel::server {

/// Counts the requests that wait: each HTTP request is one from its handler's begin, while it is prepared, and becomes
/// as many engine requests as it submits, until their first token, or their end if they never get one. Any thread.
class Admission {
 public:
  /// The places of one HTTP request. Each is given up once; the rest at the ticket's end.
  class Ticket {
   public:
    explicit Ticket(Admission& admission) : admission_(&admission) {}
    ~Ticket() { admission_->waiting_ -= left_; }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    /// Takes `count` places, in place of those it has. False where more than `limit` would wait with them; when nobody
    /// else waits, all are had. Not beside one_started().
    bool take(int count, int limit) {
      int waiting = admission_->waiting_.load();
      int others = 0;
      do {
        others = waiting - left_;
        if (others > 0 && others > limit - count) return false;
      } while (!admission_->waiting_.compare_exchange_weak(waiting, others + count));
      left_ = count;
      return true;
    }
    void one_started() {
      --left_;
      --admission_->waiting_;
    }

   private:
    Admission* admission_;
    std::atomic<int> left_{0};
  };

  int waiting() const { return waiting_.load(); }

 private:
  std::atomic<int> waiting_{0};
};

}  // namespace caravel::server
