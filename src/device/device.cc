#include "device/device.h"

#include <algorithm>

namespace caravel {

void Stream::region(const char* name, double bytes, double macs) {
  if (!profiling_) return;
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
