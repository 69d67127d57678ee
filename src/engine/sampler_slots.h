#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "sampler/sampling_rules.h"

namespace caravel::engine {

/// Numbers of slots that are in use; those that were given back come first again.
class SlotNumbers {
 public:
  int32_t take() {
    if (free_.empty()) return next_++;
    const int32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(int32_t slot) { free_.push_back(slot); }

 private:
  int32_t next_ = 0;
  std::vector<int32_t> free_;
};

/// One answer's sampler, which stands in a slot of the executor from its first draw on. The numbers must outlive it.
class SamplerSlot {
 public:
  SamplerSlot(std::shared_ptr<const sampler::SamplingRules> rules, uint32_t index)
      : rules_(std::move(rules)), index_(index) {}
  ~SamplerSlot() {
    if (numbers_ != nullptr) numbers_->give_back(slot_);
  }
  SamplerSlot(SamplerSlot&& other) noexcept
      : rules_(std::move(other.rules_)),
        index_(other.index_),
        numbers_(std::exchange(other.numbers_, nullptr)),
        slot_(other.slot_) {}
  SamplerSlot& operator=(SamplerSlot&&) = delete;

  const std::shared_ptr<const sampler::SamplingRules>& rules() const { return rules_; }
  uint32_t index() const { return index_; }
  bool begun() const { return numbers_ != nullptr; }
  int32_t slot() const { return slot_; }
  void begin(SlotNumbers& numbers) {
    numbers_ = &numbers;
    slot_ = numbers.take();
  }

 private:
  std::shared_ptr<const sampler::SamplingRules> rules_;
  uint32_t index_;
  SlotNumbers* numbers_ = nullptr;  // nullptr: it has no slot yet
  int32_t slot_ = -1;
};

}  // namespace caravel::engine
