#include "device/mirrored_arrays.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "device/cpu/cpu_device.h"
#include "device/deferred_device.h"

namespace caravel {
namespace {

TEST(MirroredArrays, GoOverTogetherAndComeBack) {
  DeferredDevice device(2);
  const auto stream = device.make_stream();
  MirroredArrays arrays(device);
  for (const size_t count : {3U, 1000U, 20U}) {  // they grow, and are laid out anew
    arrays.begin(MirroredArrays::bytes_of<int64_t>(count) + MirroredArrays::bytes_of<char>(5));
    std::vector<char> letters = {'a', 'b', 'c', 'd', 'e'};
    const char* const letters_there = arrays.add(std::span<const char>(letters));
    const auto numbers = arrays.add<int64_t>(count);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(numbers.device) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<const std::byte*>(numbers.device) - reinterpret_cast<const std::byte*>(letters_there),
              64);
    std::ranges::fill(numbers.host, static_cast<int64_t>(count));
    arrays.to_device(*stream);
    stream->synchronize();
    std::ranges::fill(numbers.host, -1);
    arrays.to_host(*stream);
    EXPECT_EQ(numbers.host.back(), -1);
    stream->synchronize();
    EXPECT_EQ(numbers.host.front(), static_cast<int64_t>(count));
    EXPECT_EQ(numbers.host.back(), static_cast<int64_t>(count));
  }
}

TEST(MirroredArrays, AUnifiedDeviceReadsTheHosts) {
  CpuDevice device(1);
  MirroredArrays arrays(device);
  arrays.begin(MirroredArrays::bytes_of<int>(7));
  const auto array = arrays.add<int>(7);
  EXPECT_EQ(array.device, array.host.data());
}

TEST(MirroredArrays, NoneAtAllIsNoCopy) {
  CpuDevice device(1);
  const auto stream = device.make_stream();
  MirroredArrays arrays(device);
  arrays.begin(0);
  EXPECT_EQ(arrays.add<int>(0).host.size(), 0U);
  arrays.to_device(*stream);
  stream->synchronize();
}

}  // namespace
}  // namespace caravel
