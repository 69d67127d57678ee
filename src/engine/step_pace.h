#pragma once

#include <algorithm>
#include <limits>

namespace caravel::engine {

/// How many tokens a step may hold so that it ends within a bound, learnt from the steps before. With a fixed cost f
/// and a cost c per token, seconds / tokens overestimates c for short steps, and the budgets converge to (bound - f) /
/// c.
class StepPace {
 public:
  /// max_seconds: of a step; 0: no bound.
  explicit StepPace(double max_seconds) : max_seconds_(max_seconds) {}

  int max_tokens() const {
    if (max_seconds_ <= 0) return std::numeric_limits<int>::max();
    if (seconds_per_token_ == 0) return kFirst;
    return static_cast<int>(std::clamp(kMargin * max_seconds_ / seconds_per_token_, 1.0, 1e6));
  }

  void observe(int tokens, double seconds) {
    if (tokens < kShortest) return;  // a decode step's time is that of reading the weights
    const double now = seconds / tokens;
    seconds_per_token_ = seconds_per_token_ == 0 ? now : (seconds_per_token_ + now) / 2;
  }

 private:
  static constexpr int kFirst = 64;
  static constexpr int kShortest = 16;
  static constexpr double kMargin = 0.9;

  double max_seconds_;
  double seconds_per_token_ = 0;
};

}  // namespace caravel::engine
