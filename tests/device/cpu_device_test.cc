#include "device/cpu/cpu_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
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

/// 2 x + y, which may go round.
int twice_and(int x, int y) { return static_cast<int>(static_cast<unsigned>(x) * 2U + static_cast<unsigned>(y)); }

void add(const AddArgs& args, int rank, int size) {
  const Range range = share_of(args.count, rank, size);
  for (int64_t i = range.begin; i < range.end; ++i) args.out[i] = twice_and(args.out[i], args.value);
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
  stream->start_profile(Profile::kRegions);
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

TEST(CpuStream, AnEventRunsWhatIsBeforeItAndNoMore) {
  CpuDevice device(2);
  const auto stream = device.make_stream();
  const auto event = device.make_event();
  event->wait();  // it was never recorded
  std::vector<int> out(100, 0);
  const auto enqueue = [&](int value) { as_cpu(*stream).enqueue(add, AddArgs{out.data(), value, 100}); };
  enqueue(1);
  enqueue(2);
  stream->record(*event);
  enqueue(3);
  event->wait();
  EXPECT_EQ(out[99], 4);
  event->wait();
  EXPECT_EQ(out[99], 4);
  // Many more than the list holds, of which a part has run.
  int expected = 4 * 2 + 3;
  for (int i = 0; i < 1000; ++i) {
    enqueue(i % 3 - expected);
    expected = 2 * expected + i % 3 - expected;
    if (i % 90 != 0) continue;
    stream->record(*event);
    enqueue(-1 - expected);
    event->wait();
    ASSERT_EQ(out[i % 100], expected) << i;
    expected = expected - 1;
  }
  stream->synchronize();
  EXPECT_EQ(out[0], expected);
}

TEST(CpuStream, AStreamWaitsForWhatAnotherHasRecorded) {
  CpuDevice device(2);
  const auto first = device.make_stream();
  const auto second = device.make_stream();
  const auto event = device.make_event();
  std::vector<int> out(10, 0);
  const auto enqueue = [&](Stream& stream, int value) { as_cpu(stream).enqueue(add, AddArgs{out.data(), value, 10}); };
  enqueue(*second, 1);
  second->wait(*event);  // never recorded
  enqueue(*first, 2);
  first->record(*event);
  enqueue(*first, 100);
  second->wait(*event);
  first->record(*event);  // the second waits for what it stood for
  enqueue(*second, 3);
  second->synchronize();
  EXPECT_EQ(out[0], (1 * 2 + 2) * 2 + 3);
  first->synchronize();
  EXPECT_EQ(out[0], 11 * 2 + 100);
}

TEST(CpuStream, CopiesInOrder) {
  CpuDevice device(3);
  const auto stream = device.make_stream();
  constexpr size_t kCount = 100'003;
  const HostBuffer from = device.allocate_host(kCount * sizeof(int));
  const Buffer buffer = device.allocate(kCount * sizeof(int));
  const HostBuffer to = device.allocate_host(kCount * sizeof(int));
  std::iota(from.span<int>().begin(), from.span<int>().end(), 0);
  stream->copy(buffer.address(), from.as(), from.size());
  as_cpu(*stream).enqueue(add, AddArgs{buffer.address<int>(), 5, kCount});
  stream->copy(to.as(), buffer.address(), to.size());
  as_cpu(*stream).enqueue(add, AddArgs{buffer.address<int>(), 5, kCount});
  EXPECT_EQ(to.span<int>()[7], 0);
  stream->synchronize();
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(to.span<int>()[i], 2 * static_cast<int>(i) + 5);
}

TEST(CpuStream, ACapturedListReadsWhatItsMemoryHoldsWhenItIsRun) {
  CpuDevice device(2);
  const auto stream = device.make_stream();
  constexpr size_t kBytes = 50 * sizeof(int);
  const HostBuffer in = device.allocate_host(kBytes);
  const Buffer state = device.allocate(kBytes);
  const HostBuffer out = device.allocate_host(kBytes);
  const auto step = [&] {
    stream->copy(state.address(), in.as(), kBytes);
    for (int i = 0; i < 100; ++i) as_cpu(*stream).enqueue(add, AddArgs{state.address<int>(), i % 2 - 1, 50});
    stream->copy(out.as(), state.address(), kBytes);
  };
  stream->begin_capture();
  step();
  const std::unique_ptr<CommandList> list = stream->end_capture();
  for (const int seed : {3, 4}) {
    for (int& value : in.span<int>()) value = seed;
    step();
    stream->synchronize();
    const std::vector<int> expected(out.span<int>().begin(), out.span<int>().end());
    std::ranges::fill(out.span<int>(), -1);
    stream->run(*list);
    stream->run(*list);
    EXPECT_EQ(out.span<int>()[0], -1);
    stream->synchronize();
    EXPECT_TRUE(std::ranges::equal(out.span<int>(), expected)) << seed;
  }
}

TEST(CpuDevice, AllocatesZeroedAlignedMemory) {
  CpuDevice device(1);
  const HostBuffer buffer = device.allocate_host(3 << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.as()) % 64, 0U);
  EXPECT_EQ(buffer.span<int>()[(3 << 18) - 1], 0);
  EXPECT_FALSE(device.allocate(0));
  EXPECT_THROW(device.allocate(size_t{1} << 60), CapacityError);
  EXPECT_THROW(device.allocate(~size_t{0}), CapacityError);
}

TEST(CpuDevice, SmallBuffersLieSideBySideAndBeginZeroedAgain) {
  CpuDevice device(1);
  for (int round = 0; round < 3; ++round) {
    std::vector<HostBuffer> buffers;
    for (size_t bytes = 1; bytes < 6'000'000; bytes = bytes * 3 + 1) {  // 13 MB in all, and then more than a chunk
      for (int copy = 0; copy < 4; ++copy) {
        const std::span all = buffers.emplace_back(device.allocate_host(bytes)).span<uint8_t>();
        ASSERT_EQ(reinterpret_cast<uintptr_t>(all.data()) % 64, 0U);
        ASSERT_EQ(all.front(), 0);
        ASSERT_EQ(all.back(), 0);
        std::ranges::fill(all, round + 1);
      }
    }
    for (const HostBuffer& buffer : buffers) {
      ASSERT_EQ(buffer.span<uint8_t>().front(), round + 1) << "another buffer lies on top";
      ASSERT_EQ(buffer.span<uint8_t>().back(), round + 1);
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
