#pragma once

#include <atomic>
#include <memory>

namespace caravel::server {

/// Counts the engine requests that wait: from their submission to their first token, or to their end if they never get
/// one. Any thread.
class Admission {
 public:
  /// Those of one HTTP request. Each stops waiting once; the rest at the ticket's end.
  class Ticket {
   public:
    Ticket(Admission& admission, int count) : admission_(&admission), left_(count) {}
    ~Ticket() { admission_->waiting_ -= left_; }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    void one_started() {
      --left_;
      --admission_->waiting_;
    }

   private:
    Admission* admission_;
    std::atomic<int> left_;
  };

  /// Nothing where, with `count` more, more than `limit` would wait. When nobody waits, all are taken.
  std::shared_ptr<Ticket> enter(int count, int limit) {
    int waiting = waiting_.load();
    do {
      if (waiting > 0 && waiting > limit - count) return nullptr;
    } while (!waiting_.compare_exchange_weak(waiting, waiting + count));
    return std::make_shared<Ticket>(*this, count);
  }

  int waiting() const { return waiting_.load(); }

 private:
  std::atomic<int> waiting_{0};
};

}  // namespace caravel::server
