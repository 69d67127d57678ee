#include "engine/repetition.h"

namespace caravel::engine {

RepetitionWatch::RepetitionWatch(int window)
    : window_(window), last_(static_cast<size_t>(window / 4)), equal_(static_cast<size_t>(window / 4)) {}

bool RepetitionWatch::add(int32_t token) {
  const auto longest = static_cast<int64_t>(last_.size());
  if (longest == 0) return false;
  bool goes_round = false;
  for (int64_t period = 1; period <= longest && period <= count_; ++period) {
    int32_t& equal = equal_[static_cast<size_t>(period - 1)];
    equal = token == last_[static_cast<size_t>((count_ - period) % longest)] ? equal + 1 : 0;
    goes_round = goes_round || equal >= window_ - period;
  }
  last_[static_cast<size_t>(count_ % longest)] = token;
  ++count_;
  return goes_round;
}

}  // namespace caravel::engine
