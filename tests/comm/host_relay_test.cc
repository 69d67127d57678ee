#include "comm/host_relay.h"

#include <gtest/gtest.h>

#include "device/deferred_device.h"
#include "device/device_array.h"

namespace caravel::comm {
namespace {

// From a CPU to the device that the tests run on and back, more than once: a message makes room for the next.
TEST(HostRelay, HandsOnFromDeviceToDevice) {
  CpuDevice cpu(1);
  const std::unique_ptr<Device> other = open_test_device(1, available_isas().back());
  HostRelay relay(*other, 2, 4 * sizeof(float));
  EXPECT_EQ(relay.member(1).rank(), 1);
  EXPECT_EQ(relay.member(1).size(), 2);
  const auto of_cpu = cpu.make_stream();
  const auto of_other = other->make_stream();
  for (const float value : {1.0F, 2.0F}) {
    const DeviceArray<float> from(*of_cpu, std::vector<float>{value, 2 * value, 3 * value});
    const DeviceArray<float> there(*of_other, 3, 0.0F);
    const DeviceArray<float> back(*of_cpu, 3, 0.0F);
    relay.member(0).send(*of_cpu, from.data(), 3 * sizeof(float), 1);
    of_cpu->synchronize();
    relay.member(1).recv(*of_other, there.data(), 3 * sizeof(float), 0);
    relay.member(1).send(*of_other, there.data(), 3 * sizeof(float), 0);
    of_other->synchronize();
    relay.member(0).recv(*of_cpu, back.data(), 3 * sizeof(float), 1);
    of_cpu->synchronize();
    EXPECT_EQ(back.values(), from.values());
  }
}

}  // namespace
}  // namespace caravel::comm
