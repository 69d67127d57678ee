#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "device/cpu/cpu_device.h"

namespace caravel::kernels {

/// Half a unit in the last place of 1.0F: the largest relative error of one rounding.
inline constexpr double kRounding = 0x1p-24;

/// A device of one instruction set with a stream on it.
struct Machine {
  explicit Machine(Isa isa, int threads = 2) : device(threads, isa), stream(device.make_stream()) {}
  CpuDevice device;
  std::unique_ptr<Stream> stream;
};

/// Runs `body` for every instruction set that this machine has.
inline void for_each_isa(const std::function<void(Isa)>& body) {
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE("isa " + std::string(isa_name(isa)));
    body(isa);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

inline std::vector<float> random_normal(int64_t count, uint32_t seed, float deviation = 1.0F) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(engine);
  return values;
}

/// Fails with the worst index and both values where |actual - expected| > absolute + relative * |expected|.
inline void expect_close(std::span<const float> actual, std::span<const double> expected, double absolute,
                         double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  size_t worst = 0;
  double worst_excess = -1;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] == expected[i]) continue;
    const double excess = std::abs(actual[i] - expected[i]) / (absolute + relative * std::abs(expected[i]));
    if (!(excess <= worst_excess)) {  // NaN counts as the worst
      worst = i;
      worst_excess = std::isnan(excess) ? std::numeric_limits<double>::infinity() : excess;
    }
  }
  EXPECT_LE(worst_excess, 1.0) << "worst at " << worst << " of " << actual.size() << ": " << actual[worst] << " for "
                               << expected[worst];
}

/// Fails with the first index whose bits differ.
inline void expect_same_bits(std::span<const float> a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t bits[2];
    std::memcpy(&bits[0], &a[i], 4);
    std::memcpy(&bits[1], &b[i], 4);
    ASSERT_EQ(bits[0], bits[1]) << "at " << i << " of " << a.size() << ": " << a[i] << " and " << b[i];
  }
}

}  // namespace caravel::kernels
