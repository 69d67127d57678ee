#include "device/cpu/cpu_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "caravel/config.h"
#include "device/dtype.h"

namespace caravel {
namespace {

struct AddArgs {
  int* out;
  int value;
  int count;
};

void add(const AddArgs& args, int rank, int size) {
  const Range range = share_of(args.count, rank, size);
  for (int64_t i = range.begin; i < range.end; ++i) args.out[i] = args.out[i] * 2 + args.value;
}

TEST(CpuStream, RunsCommandsInOrderOnAllRanks) {
  CpuDevice device(3);
  auto stream = device.make_stream();
  std::vector<int> out(1000, 0);
  for (int i = 1; i <= 10; ++i) as_cpu(*stream).enqueue(add, AddArgs{out.data(), i, 1000});
  EXPECT_EQ(out[0], 0);  // nothing runs before synchronize()
  stream->synchronize();
  int expected = 0;
  for (int i = 1; i <= 10; ++i) expected = expected * 2 + i;
  for (int value : out) ASSERT_EQ(value, expected);
}

TEST(CpuStream, AProfileTellsRegionsApart) {
  CpuDevice device(2);
  auto stream = device.make_stream();
  constexpr int kCount = 100'000;
  std::vector<int> out(kCount, 0);
  stream->region("before");  // no profile yet
  stream->start_profile();
  for (int i = 0; i < 3; ++i) {
    stream->region("long", 8000, 4000);
    for (int j = 0; j < 5; ++j) as_cpu(*stream).enqueue(add, AddArgs{out.data(), i, kCount});
    stream->region("short");
    as_cpu(*stream).enqueue(add, AddArgs{out.data(), i, 1});
    stream->synchronize();
  }
  const std::span<const RegionTime> profile = stream->profile();
  ASSERT_EQ(profile.size(), 3U);  // the first is what no region claims
  EXPECT_STREQ(profile[1].name, "long");
  EXPECT_EQ(profile[1].runs, 3);
  EXPECT_EQ(profile[1].bytes, 24000);
  EXPECT_EQ(profile[1].macs, 12000);
  EXPECT_STREQ(profile[2].name, "short");
  EXPECT_GT(profile[2].seconds, 0);
  EXPECT_GT(profile[1].seconds, profile[2].seconds);
  EXPECT_EQ(profile[0].seconds, 0);
}

TEST(CpuDevice, AllocatesZeroedAlignedMemory) {
  CpuDevice device(1);
  Buffer buffer = device.allocate(3 << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U);
  EXPECT_EQ(buffer.as<int>()[(3 << 18) - 1], 0);
  EXPECT_THROW(device.allocate(size_t{1} << 60), CapacityError);
  EXPECT_THROW(device.allocate(~size_t{0}), CapacityError);
}

TEST(CpuDevice, SmallBuffersLieSideBySideAndBeginZeroedAgain) {
  CpuDevice device(1);
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> buffers;
    for (size_t bytes = 1; bytes < 6'000'000; bytes = bytes * 3 + 1) {  // 13 MB in all, and then more than a chunk
      for (int copy = 0; copy < 4; ++copy) {
        Buffer& buffer = buffers.emplace_back(device.allocate(bytes));
        ASSERT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U);
        ASSERT_EQ(std::to_integer<int>(buffer.data()[0]), 0);
        ASSERT_EQ(std::to_integer<int>(buffer.data()[bytes - 1]), 0);
        std::memset(buffer.data(), round + 1, bytes);
      }
    }
    for (const Buffer& buffer : buffers) {
      ASSERT_EQ(std::to_integer<int>(buffer.data()[0]), round + 1) << "another buffer lies on top";
      ASSERT_EQ(std::to_integer<int>(buffer.data()[buffer.size() - 1]), round + 1);
    }
    buffers.erase(buffers.begin() + 5);  // and the rest in another order than they came
  }
}

TEST(Isa, WhatTheMachineCannotRunIsRefused) {
  EXPECT_EQ(choose_isa(CpuIsa::kAuto), available_isas().back());
  const std::pair<CpuIsa, Isa> all[] = {{CpuIsa::kPortable, Isa::kPortable},
                                        {CpuIsa::kAvx2, Isa::kAvx2},
                                        {CpuIsa::kAvx512Vnni, Isa::kAvx512Vnni},
                                        {CpuIsa::kAvx512Amx, Isa::kAvx512Amx}};
  for (const auto& [asked, isa] : all) {
    if (std::ranges::find(available_isas(), isa) != available_isas().end()) {
      EXPECT_EQ(choose_isa(asked), isa);
    } else {
      EXPECT_THROW(choose_isa(asked), InvalidArgument) << isa_name(isa);
    }
  }
  EXPECT_THROW(choose_isa(static_cast<CpuIsa>(9)), InvalidArgument);
}

TEST(DType, RowBytes) {
  EXPECT_EQ(row_bytes(DType::kQ4_1, 64), 40);
  EXPECT_EQ(row_bytes(DType::kQ6_K, 512), 420);
  EXPECT_EQ(row_bytes(DType::kBF16, 3), 6);
}

}  // namespace
}  // namespace caravel
