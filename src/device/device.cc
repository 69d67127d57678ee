#include "device/device.h"

#include <algorithm>

namespace caravel {

void Stream::start_profile(Profile profile) {
  profiling_ = profile;
  region("other");
}

void Stream::region(const char* name, double bytes, double macs) {
  if (profiling_ == Profile::kRegions) enter(name, bytes, macs);
}

void Stream::begin_step() {
  if (profiling_ == Profile::kSteps) enter(kStepRegion, 0, 0);
}

void Stream::end_step() {
  if (profiling_ == Profile::kSteps) enter(kBetweenStepsRegion, 0, 0);
}

void Stream::rest() {
  if (profiling_ == Profile::kSteps) begin_idle();
}

void Stream::enter(const char* name, double bytes, double macs) {
  const auto place = std::ranges::find(profile_, name, &RegionTime::name);
  current_ = static_cast<size_t>(place - profile_.begin());
  if (place == profile_.end()) profile_.push_back({.name = name});
  RegionTime& region = profile_[current_];
  ++region.runs;
  region.bytes += bytes;
  region.macs += macs;
  begin_region();
}

}  // namespace caravel
