#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace caravel::grammar {

/// The tokens that may be drawn at one place, made by one thread while another computes the logits.
class TokenMask {
 public:
  bool ready() const { return state_.load(std::memory_order_acquire) == State::kReady; }
  /// Not ready yet, and who makes it will be told that somebody waits: set_ready() says so.
  bool await() {
    State making = State::kMaking;
    return state_.compare_exchange_strong(making, State::kAwaited) || making == State::kAwaited;
  }
  /// By token id, 32 to a word; tokens past the last are not allowed. Once it is ready.
  const std::vector<uint32_t>& bits() const { return bits_; }

  // -- Who makes it.

  std::vector<uint32_t>& writable() { return bits_; }
  void set_making() { state_.store(State::kMaking, std::memory_order_release); }
  /// Returns whether somebody waits for it.
  bool set_ready() { return state_.exchange(State::kReady, std::memory_order_acq_rel) == State::kAwaited; }

 private:
  enum class State : uint8_t { kMaking, kAwaited, kReady };
  std::atomic<State> state_{State::kMaking};
  std::vector<uint32_t> bits_;
};

}  // namespace caravel::grammar
