#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "base/error.h"
#include "device/cuda_backend.h"
#include "device/device.h"
#include "device/device_array.h"
#include "device/mirrored_arrays.h"

namespace caravel {
namespace {

using testing::HasSubstr;

/// Of the first GPU; skipped where there is none.
class CudaDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_cuda(); !why.empty()) GTEST_SKIP() << why;
    device_ = open_cuda(0);
    stream_ = device_->make_stream();
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

std::vector<int> counted(size_t count, int from) {
  std::vector<int> values(count);
  std::iota(values.begin(), values.end(), from);
  return values;
}

TEST_F(CudaDevice, SaysWhatItIs) {
  EXPECT_EQ(device_->kind(), DeviceKind::kCuda);
  EXPECT_FALSE(device_->unified());
  EXPECT_THAT(device_->name(), HasSubstr("(CUDA, sm_"));
}

TEST_F(CudaDevice, CopiesInOrder) {
  constexpr size_t kCount = 3'000'003;
  const DeviceArray<int> array(*stream_, counted(kCount, 7));
  const Buffer second = device_->allocate(kCount * sizeof(int));
  stream_->copy(second.address(), array.data(), second.size());
  EXPECT_EQ(download(*stream_, second.address<int>(), kCount), counted(kCount, 7));
}

TEST_F(CudaDevice, BuffersBeginZeroedAndLieApart) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> buffers;
    const HostBuffer marks = device_->allocate_host(20'000'000);
    for (uint8_t& mark : marks.span<uint8_t>()) mark = 0xff;
    for (size_t bytes = 1; bytes < 20'000'000; bytes = bytes * 3 + 1) {
      for (int copy = 0; copy < 3; ++copy) {
        Buffer& buffer = buffers.emplace_back(device_->allocate(bytes));
        EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.address()) % 256, 0U);
        const std::vector<uint8_t> all = download(*stream_, buffer.address<uint8_t>(), bytes);
        EXPECT_EQ(std::ranges::count(all, 0), static_cast<ptrdiff_t>(bytes));
        stream_->copy(buffer.address(), marks.as(), bytes);
        stream_->synchronize();
      }
    }
    buffers.erase(buffers.begin() + 5);  // and the rest in another order than they came
  }
  EXPECT_FALSE(device_->allocate(0));
  EXPECT_FALSE(device_->allocate_host(0));
}

TEST_F(CudaDevice, AnEventOrdersTwoStreams) {
  constexpr size_t kCount = 8'000'000;
  const auto second = device_->make_stream();
  const auto event = device_->make_event();
  event->wait();  // never recorded
  second->wait(*event);
  const HostBuffer from = device_->allocate_host(kCount * sizeof(int));
  const HostBuffer to = device_->allocate_host(kCount * sizeof(int));
  const Buffer middle = device_->allocate(kCount * sizeof(int));
  for (int round = 1; round <= 5; ++round) {
    std::iota(from.span<int>().begin(), from.span<int>().end(), round);
    stream_->copy(middle.address(), from.as(), from.size());
    stream_->record(*event);
    second->wait(*event);
    second->copy(to.as(), middle.address(), to.size());
    second->record(*event);
    event->wait();
    ASSERT_EQ(to.span<int>().back(), round + static_cast<int>(kCount) - 1);
  }
}

TEST_F(CudaDevice, ACapturedListReadsWhatItsMemoryHoldsWhenItIsRun) {
  const HostBuffer in = device_->allocate_host(sizeof(int));
  const HostBuffer out = device_->allocate_host(sizeof(int));
  const Buffer state = device_->allocate(sizeof(int));
  stream_->begin_capture();
  stream_->copy(state.address(), in.as(), sizeof(int));
  stream_->copy(out.as(), state.address(), sizeof(int));
  const std::unique_ptr<CommandList> list = stream_->end_capture();
  for (const int value : {3, 4}) {
    *in.as<int>() = value;
    stream_->synchronize();
    EXPECT_NE(*out.as<int>(), value);
    stream_->run(*list);
    stream_->run(*list);
    stream_->synchronize();
    EXPECT_EQ(*out.as<int>(), value);
  }
}

TEST_F(CudaDevice, MirroredArraysGoOverAndComeBack) {
  MirroredArrays arrays(*device_);
  arrays.begin(MirroredArrays::bytes_of<int>(1000));
  const auto array = arrays.add<int>(1000);
  std::ranges::fill(array.host, 5);
  arrays.to_device(*stream_);
  stream_->synchronize();
  std::ranges::fill(array.host, -1);
  arrays.to_host(*stream_);
  stream_->synchronize();
  EXPECT_EQ(array.host.back(), 5);
}

TEST_F(CudaDevice, WhatIsNotThereIsRefusedWithTheNumbers) {
  try {
    device_->allocate(size_t{1} << 50);
    FAIL();
  } catch (const CapacityError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("cannot allocate 1048576.0 GiB"), HasSubstr("are free")));
  }
  EXPECT_THROW(device_->allocate_host(size_t{1} << 50), CapacityError);
  EXPECT_THROW(open_cuda(99), InvalidArgument);
  EXPECT_TRUE(device_->allocate(1 << 20)) << "a refusal does no harm";
}

TEST_F(CudaDevice, AProfileHasTheTimeOfEachRegion) {
  constexpr size_t kBytes = size_t{256} << 20;
  const Buffer from = device_->allocate(kBytes);
  const Buffer to = device_->allocate(kBytes);
  stream_->start_profile(Profile::kRegions);
  for (int i = 0; i < 3; ++i) {
    stream_->region("copies", 2 * kBytes);
    for (int j = 0; j < 10; ++j) stream_->copy(to.address(), from.address(), kBytes);
    stream_->region("nothing");
    stream_->synchronize();
  }
  ASSERT_EQ(stream_->profile().size(), 3U);
  const RegionTime& copies = stream_->profile()[1];
  const RegionTime& nothing = stream_->profile()[2];
  EXPECT_EQ(copies.runs, 3);
  EXPECT_GT(copies.seconds, 0);
  EXPECT_GT(copies.seconds, 10 * nothing.seconds);
}

TEST_F(CudaDevice, AProfileOfStepsHasThemAndWhatPassesBetween) {
  constexpr size_t kBytes = size_t{256} << 20;
  constexpr double kPause = 0.02;
  const Buffer from = device_->allocate(kBytes);
  const Buffer to = device_->allocate(kBytes);
  stream_->start_profile(Profile::kSteps);
  const auto step = [&] {
    stream_->begin_step();
    stream_->region("a part");
    for (int i = 0; i < 10; ++i) stream_->copy(to.address(), from.address(), kBytes);
    stream_->end_step();
  };
  step();
  step();  // right behind: nothing passes
  const auto event = device_->make_event();
  stream_->record(*event);
  event->wait();
  std::this_thread::sleep_for(std::chrono::duration<double>(kPause));
  step();
  stream_->rest();
  stream_->record(*event);
  event->wait();
  std::this_thread::sleep_for(std::chrono::duration<double>(10 * kPause));
  step();
  stream_->synchronize();
  ASSERT_EQ(stream_->profile().size(), 2U) << "regions are not told apart, and rest is no region";
  EXPECT_STREQ(stream_->profile()[0].name, kStepRegion);
  EXPECT_EQ(stream_->profile()[0].runs, 4);
  EXPECT_STREQ(stream_->profile()[1].name, kBetweenStepsRegion);
  EXPECT_GT(stream_->profile()[1].seconds, kPause);
  EXPECT_LT(stream_->profile()[1].seconds, 5 * kPause) << "rest counts for nothing";
}

}  // namespace
}  // namespace caravel
