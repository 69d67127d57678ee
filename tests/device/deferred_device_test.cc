#include "device/deferred_device.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
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

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CARAVEL_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CARAVEL_ASAN
#endif

/// By SIGSEGV; AddressSanitizer tells of it and exits.
bool died_of_an_access(int status) {
#ifdef CARAVEL_ASAN
  return WIFEXITED(status) && WEXITSTATUS(status) != 0;
#else
  return testing::KilledBySignal(SIGSEGV)(status);
#endif
}

TEST(DeferredDeviceDeathTest, AHostThatFollowsAnAddressDies) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  DeferredDevice device(1);
  const auto stream = device.make_stream();
  const DeviceArray<int> value(*stream, std::vector<int>{41});
  volatile int* const address = value.data();
  EXPECT_EXIT(*address = 1, died_of_an_access, "");
  EXPECT_EXIT([](int) {}(*address), died_of_an_access, "");
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
