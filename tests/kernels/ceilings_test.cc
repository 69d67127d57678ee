#include "kernels/ceilings.h"

#include "kernels/op_testing.h"

namespace caravel::kernels {
namespace {

TEST(Ceilings, ADeviceHasThoseOfWhatItComputesIn) {
  Machine machine(available_isas().back());
  const Ceilings ceilings = measure_ceilings(machine.device);
  const bool gpu = machine.device.kind() == DeviceKind::kCuda;
  EXPECT_GT(ceilings.read_gb_per_second, 0);
  EXPECT_GT(ceilings.f32_gmac_per_second, 0);
  EXPECT_EQ(ceilings.int8_gmac_per_second > 0, !gpu);
  // Tensor cores make some ten times as many as plain instructions.
  EXPECT_EQ(ceilings.bf16_gmac_per_second > 4 * ceilings.f32_gmac_per_second, gpu);
}

TEST(Ceilings, LevelsOfMemoryGoFromTheNearestOn) {
  Machine machine(available_isas().back());
  constexpr double kRead = 12.5;
  const std::vector<MemoryLevel> levels = measure_memory(machine.device, {.read_gb_per_second = kRead});
  double bytes = 0;
  double memory_latency = 0;
  for (const MemoryLevel& level : levels) {
    EXPECT_GT(level.read_gb_per_second, 0) << level.name;
    EXPECT_GE(level.bytes, 0) << level.name;
    bytes = std::max(bytes, level.bytes);
    if (level.read_gb_per_second == kRead) memory_latency = level.latency_ns;
  }
  ASSERT_GE(levels.size(), 2U);
  EXPECT_LT(levels.front().bytes, bytes);
  EXPECT_GT(levels.front().latency_ns, 0);
  EXPECT_LT(levels.front().latency_ns, memory_latency) << "caches are nearer than memory";
}

}  // namespace
}  // namespace caravel::kernels
