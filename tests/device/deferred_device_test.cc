#include "device/deferred_device.h"

#include <gtest/gtest.h>

#include <vector>

#include "device/device_array.h"

namespace caravel {
namespace {

struct IncrementArgs {
  volatile int* value;
};

void increment(const IncrementArgs& args, int rank, int /*size*/) {
  if (rank == 0) *args.value = *args.value + 1;
}

TEST(DeferredDevice, CommandsReachItsMemoryWhenTheyAreWaitedFor) {
  DeferredDevice device(2);
  const auto stream = device.make_stream();
  const auto event = device.make_event();
  const DeviceArray<int> value(*stream, std::vector<int>{41});
  const HostBuffer host = device.allocate_host(sizeof(int));
  const auto enqueue = [&] {
    as_cpu(*stream).enqueue(increment, IncrementArgs{value.data()});
    stream->copy(host.as(), value.data(), sizeof(int));
  };
  enqueue();
  stream->record(*event);
  enqueue();
  EXPECT_EQ(*host.as<int>(), 0);
  event->wait();
  EXPECT_EQ(*host.as<int>(), 42);
  EXPECT_EQ(value.values(), std::vector<int>{43});
}

TEST(DeferredDeviceDeathTest, AHostThatFollowsAnAddressDies) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  DeferredDevice device(1);
  const auto stream = device.make_stream();
  const DeviceArray<int> value(*stream, std::vector<int>{41});
  volatile int* const address = value.data();
  // By SIGSEGV, which a sanitizer reports in its own way.
  EXPECT_DEATH(*address = 1, "");
  EXPECT_DEATH([](int) {}(*address), "");
}

TEST(DeferredDeviceDeathTest, ACopyOfMemoryThatIsNotPinnedDies) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  DeferredDevice device(1);
  const auto stream = device.make_stream();
  const DeviceArray<int> value(*stream, std::vector<int>{41});
  std::vector<int> host(1);
  EXPECT_DEATH(stream->copy(host.data(), value.data(), sizeof(int)), "owns");
  const HostBuffer pinned = device.allocate_host(sizeof(int));
  EXPECT_DEATH(stream->copy(pinned.as(), value.data(), 2 * sizeof(int)), "owns");
}

}  // namespace
}  // namespace caravel
