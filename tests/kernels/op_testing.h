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

#include "device/deferred_device.h"
#include "device/device_array.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"
#include "kernels/test_seed.h"

namespace caravel::kernels {

/// Half a unit in the last place of 1.0F: the largest relative error of one rounding.
inline constexpr double kRounding = 0x1p-24;

/// The device that the tests run on, of one instruction set, with a stream on it.
struct Machine {
  explicit Machine(Isa isa, int threads = 2) : opened(open_test_device(threads, isa)) {}
  std::unique_ptr<Device> opened;
  Device& device = *opened;
  std::unique_ptr<Stream> stream = device.make_stream();
};

/// Memory of the device that nothing was written to: as floats, NaN.
inline DeviceArray<std::byte> unwritten(Stream& stream, size_t bytes) {
  return {stream, static_cast<int64_t>(bytes), std::byte{0xff}};
}

/// What a GEMM reads, in memory of its own.
struct FormedRows {
  FormedRows(Stream& stream, InputForm form, int64_t tokens, int64_t width)
      : memory(unwritten(stream, gemm_input_bytes(stream.device(), form, tokens, width))),
        rows({.form = form, .tokens = tokens, .width = width, .data = memory.data()}) {}
  /// As `form` has them.
  FormedRows(Stream& stream, InputForm form, const std::vector<float>& values, int64_t width)
      : FormedRows(stream, form, static_cast<int64_t>(values.size()) / width, width) {
    const DeviceArray there(stream, values);
    quantize_input(stream, f32_tensor(there.data(), rows.tokens, width), rows);
    stream.synchronize();
  }

  DeviceArray<std::byte> memory;
  GemmInput rows;
};

/// All that GEMMs of the device read.
inline std::vector<InputForm> input_forms(Device& device) {
  if (input_form(device, DType::kQ8_0, false) == InputForm::kBf16) return {InputForm::kF32, InputForm::kBf16};
  return {InputForm::kF32, InputForm::kQ8, InputForm::kQ8Rotated};
}

/// The instruction sets to test with: all that a CPU has; one stands for a GPU.
inline std::vector<Isa> tested_isas() {
  const std::vector<Isa>& all = available_isas();
  return {tests_a_gpu() ? all.end() - 1 : all.begin(), all.end()};
}

/// Runs `body` for every instruction set that is tested.
inline void for_each_isa(const std::function<void(Isa)>& body) {
  for (const Isa isa : tested_isas()) {
    SCOPED_TRACE("isa " + std::string(isa_name(isa)));
    body(isa);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

inline std::vector<float> random_normal(int64_t count, uint32_t seed, float deviation = 1.0F) {
  std::mt19937 engine(seed + test_seed());
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
