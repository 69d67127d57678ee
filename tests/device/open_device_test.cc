#include "device/open_device.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "caravel/config.h"
#include "device/cuda_backend.h"

namespace caravel {
namespace {

TEST(OpenDevice, TakesTheNamesThatThereAre) {
  EXPECT_EQ(choose_device("cpu").kind, DeviceKind::kCpu);
  EXPECT_EQ(choose_device("cuda").ordinal, 0);
  EXPECT_EQ(choose_device("cuda:3").kind, DeviceKind::kCuda);
  EXPECT_EQ(choose_device("cuda:3").ordinal, 3);
  EXPECT_EQ(choose_device("cuda:3").planned_bytes, 0);
  EXPECT_EQ(choose_device("cuda:80GiB").planned_bytes, int64_t{80} << 30);
  for (const char* const name : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:0GiB", "cuda0", "CPU"}) {
    EXPECT_THROW(choose_device(name), InvalidArgument) << name;
  }
}

TEST(OpenDevice, AutoIsTheGpuWhereOneCanBeUsedAndSaysWhyNot) {
  const DeviceChoice choice = choose_device("auto");
  const std::string why_not = why_no_cuda();
  EXPECT_EQ(choice.kind, why_not.empty() ? DeviceKind::kCuda : DeviceKind::kCpu);
  if (!why_not.empty()) {
    EXPECT_EQ(choice.why, why_not);
  }
  EXPECT_EQ(open_device({})->kind(), choice.kind);
  EXPECT_EQ(open_device({.device = "cpu", .threads = 1})->kind(), DeviceKind::kCpu);
}

TEST(OpenDevice, AGpuThatCannotBeUsedIsRefusedWithTheReason) {
  const std::string why_not = why_no_cuda();
  if (why_not.empty()) {
    EXPECT_THROW(open_device({.device = "cuda:99"}), InvalidArgument);
    return;
  }
  try {
    open_device({.device = "cuda"});
    FAIL();
  } catch (const Unsupported& error) {
    EXPECT_EQ(error.what(), "device cuda: " + why_not);
  }
}

TEST(OpenDevice, OneToPlanWithRunsNothing) {
  const EngineConfig config{.device = "cuda:24GiB"};
  EXPECT_THROW(open_device(config), Unsupported);
  if (!built_with_cuda()) {
    EXPECT_THROW(open_device_to_plan(config), Unsupported);
    return;
  }
  const std::unique_ptr<Device> device = open_device_to_plan(config);
  EXPECT_EQ(device->memory_available(), size_t{24} << 30);
  EXPECT_EQ(device->name(), "a GPU of 24.0 GiB (CUDA)");
  EXPECT_FALSE(device->unified());
  EXPECT_THROW(device->allocate(1), Unsupported);
}

}  // namespace
}  // namespace caravel
