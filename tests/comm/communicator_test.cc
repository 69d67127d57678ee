// What every communicator promises, shown on the one that the tests of ranks use.

#include "comm/communicator.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "comm/thread_group.h"
#include "device/cpu/cpu_device.h"
#include "device/device_array.h"

namespace caravel::comm {
namespace {

constexpr int kRanks = 3;
constexpr int64_t kRows = 2;
constexpr int64_t kWidth = 7;
using Values = std::vector<float>;

/// What each rank has after `work` on its own rows, which begin as `initial`.
std::vector<Values> on_ranks(const std::function<Values(int rank)>& initial,
                             const std::function<void(Communicator&, Stream&, const Tensor&)>& work) {
  ThreadGroup group(kRanks);
  std::vector<Values> results(kRanks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&, rank] {
      CpuDevice device(rank + 1);
      const auto stream = device.make_stream();
      const DeviceArray<float> rows(*stream, initial(rank));
      work(group.member(rank), *stream, f32_tensor(rows.data(), kRows, kWidth));
      results[static_cast<size_t>(rank)] = rows.values();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST(Communicator, AllReduceSumsInPlaceToTheSameBits) {
  const auto results = on_ranks(
      [](int rank) {
        Values values;
        for (int i = 0; i < kRows * kWidth; ++i)
          values.push_back(0.1F * static_cast<float>(i + 1) * (rank == 1 ? -3 : 1));
        return values;
      },
      [](Communicator& group, Stream& stream, const Tensor& rows) {
        group.all_reduce(stream, rows);
        group.all_reduce(stream, rows);  // in the stream's order, of what the first gave
      });
  for (size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_NEAR(results[0][i], -0.3F * static_cast<float>(i + 1), 1e-5F);
  }
  for (const Values& of_rank : results) EXPECT_EQ(of_rank, results[0]);
}

TEST(Communicator, AllGatherFillsTheColumnsOfTheOthers) {
  // 7 columns over 3 ranks: 2, 2 and 3.
  const auto results = on_ranks(
      [](int rank) {
        Values values;
        for (int i = 0; i < kRows * kWidth; ++i) values.push_back(static_cast<float>(100 * rank + i));
        return values;
      },
      [](Communicator& group, Stream& stream, const Tensor& rows) { group.all_gather(stream, rows); });
  const Values expected = {0, 1, 102, 103, 204, 205, 206, 7, 8, 109, 110, 211, 212, 213};
  for (const Values& of_rank : results) EXPECT_EQ(of_rank, expected);
}

TEST(Communicator, WhatIsSentArrivesInOrder) {
  const auto results = on_ranks([](int rank) { return Values(kRows * kWidth, static_cast<float>(rank)); },
                                [](Communicator& group, Stream& stream, const Tensor& rows) {
                                  constexpr size_t kBytes = kRows * kWidth * sizeof(float);
                                  const int before = group.rank() - 1;
                                  const int after = group.rank() + 1;
                                  if (before >= 0) group.recv(stream, rows.data, kBytes, before);
                                  if (after < group.size()) group.send(stream, rows.data, kBytes, after);
                                });
  for (const Values& of_rank : results)
    EXPECT_EQ(of_rank, Values(kRows * kWidth, 0.0F)) << "the first rank's, handed on";
}

}  // namespace
}  // namespace caravel::comm
