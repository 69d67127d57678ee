#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/interrupt.h"

namespace caravel::text::jinja {

/// What one rendering may still spend. A template is input like any other: it must not be able to keep a thread busy
/// or fill the memory. Text costs a step for each 64 bytes made, so that steps bound bytes over the whole rendering.
class Budget {
 public:
  Budget(int64_t max_steps, size_t max_text_bytes)
      : steps_(max_steps), max_steps_(max_steps), max_text_(max_text_bytes) {}

  /// Throws CapacityError when the rendering ran out of steps.
  void step(int64_t count = 1) {
    check_interrupt();
    steps_ -= count;
    if (steps_ < 0)
      throw fail<CapacityError>("the template ran for more than {} steps: it does not seem to end", max_steps_);
  }

  /// To be called before text of this many bytes is made. Throws CapacityError.
  void text(size_t bytes) {
    if (bytes > max_text_) throw fail<CapacityError>("the template makes more than {} bytes of text", max_text_);
    step(static_cast<int64_t>(bytes / 64));
  }

  /// To be called before a list of this many items is made. Throws CapacityError.
  void items(size_t count) {
    step(count > static_cast<size_t>(max_steps_) ? max_steps_ + 1 : static_cast<int64_t>(count));
  }

  size_t max_text() const { return max_text_; }

 private:
  int64_t steps_;
  int64_t max_steps_;
  size_t max_text_;
};

}  // namespace caravel::text::jinja
