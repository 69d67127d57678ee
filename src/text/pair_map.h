#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace caravel::text {

/// From a pair of small non-negative integers to a value: open addressing, at most half full, built once and then read
/// by any number of threads.
template <typename Value>
class PairMap {
 public:
  explicit PairMap(size_t capacity) : slots_(std::bit_ceil(capacity * 2 + 1)) {}

  /// False, and nothing changes, where the pair is there already.
  bool insert(int32_t a, int32_t b, Value value) {
    CARAVEL_CHECK_LT(size_ * 2, slots_.size());
    const uint64_t key = pack(a, b);
    size_t i = start(key);
    for (; slots_[i].key != kEmpty; i = next(i)) {
      if (slots_[i].key == key) return false;
    }
    slots_[i] = {key, value};
    ++size_;
    return true;
  }

  const Value* find(int32_t a, int32_t b) const {
    const uint64_t key = pack(a, b);
    for (size_t i = start(key); slots_[i].key != kEmpty; i = next(i)) {
      if (slots_[i].key == key) return &slots_[i].value;
    }
    return nullptr;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  struct Slot {
    uint64_t key = kEmpty;
    Value value = {};
  };

  static uint64_t pack(int32_t a, int32_t b) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(a)) << 32) | static_cast<uint32_t>(b);
  }
  size_t start(uint64_t key) const {
    key = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15u;
    return (key ^ (key >> 29)) & (slots_.size() - 1);
  }
  size_t next(size_t i) const { return (i + 1) & (slots_.size() - 1); }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace caravel::text
