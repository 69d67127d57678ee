#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace caravel::sampler {

/// The tokens that may be drawn at one place, made by one thread while others compute the logits: the thread that draws
/// waits.
class TokenMask {
 public:
  void wait() const { ready_.wait(false, std::memory_order_acquire); }
  bool allows(int32_t token) const { return (bits_[static_cast<size_t>(token) / 32] >> (token % 32) & 1U) != 0; }
  /// By token id, 32 to a word; tokens past the last are not allowed. Once it is ready.
  const std::vector<uint32_t>& bits() const { return bits_; }

  // -- Who makes it.

  std::vector<uint32_t>& writable() { return bits_; }
  void set_ready(bool ready) {
    ready_.store(ready, std::memory_order_release);
    if (ready) ready_.notify_all();
  }

 private:
  std::atomic<bool> ready_{false};
  std::vector<uint32_t> bits_;
};

}  // namespace caravel::sampler
