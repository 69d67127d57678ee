#pragma once

#include <barrier>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "comm/communicator.h"
#include "device/cpu/cpu_device.h"

namespace caravel::comm {

/// A group whose ranks are threads of this process, each with a CPU device of its own. What they exchange goes through
/// memory of the group: no rank sees another's. Sums are taken in f32, in the order of the ranks. A stream runs on one
/// thread at a time, and each rank's on its own.
class ThreadGroup {
 public:
  explicit ThreadGroup(int size) : meet_(size), parts_(static_cast<size_t>(size)) {
    for (int rank = 0; rank < size; ++rank) members_.push_back(std::make_unique<Member>(*this, rank));
  }

  Communicator& member(int rank) { return *members_[static_cast<size_t>(rank)]; }

 private:
  struct Args {
    ThreadGroup* group;
    int rank;
    Tensor rows;
  };
  struct LetterArgs {
    ThreadGroup* group;
    int from;
    int to;
    void* data;
    size_t bytes;
  };
  using Bytes = std::vector<std::byte>;

  class Member final : public Communicator {
   public:
    Member(ThreadGroup& group, int rank) : group_(group), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(group_.members_.size()); }
    void all_reduce(Stream& stream, const Tensor& rows) override { enqueue(stream, reduce_parts, rows); }
    void all_gather(Stream& stream, const Tensor& rows) override { enqueue(stream, gather_parts, rows); }
    void send(Stream& stream, const void* data, size_t bytes, int to) override {
      as_cpu(stream).enqueue(post, LetterArgs{&group_, rank_, to, const_cast<void*>(data), bytes});
    }
    void recv(Stream& stream, void* data, size_t bytes, int from) override {
      as_cpu(stream).enqueue(fetch, LetterArgs{&group_, from, rank_, data, bytes});
    }

   private:
    void enqueue(Stream& stream, CpuStream::Kernel<Args> kernel, const Tensor& rows) {
      CARAVEL_CHECK(rows.dtype == DType::kF32);
      CARAVEL_CHECK_EQ(rows.stride, rows.width);
      as_cpu(stream).enqueue(kernel, Args{&group_, rank_, rows});
    }

    ThreadGroup& group_;
    const int rank_;
  };

  static Bytes bytes_at(const void* data, size_t count) {
    Bytes bytes(count);
    std::memcpy(bytes.data(), data, count);
    return bytes;
  }

  /// Gives `take` what every rank has put in.
  template <typename Take>
  void exchange(const Args& args, const Take& take) {
    const size_t bytes = static_cast<size_t>(args.rows.rows * args.rows.width) * sizeof(float);
    parts_[static_cast<size_t>(args.rank)] = bytes_at(args.rows.data, bytes);
    meet_.arrive_and_wait();
    for (size_t rank = 0; rank < parts_.size(); ++rank) {
      CARAVEL_CHECK_EQ(parts_[rank].size(), bytes);
      take(static_cast<int>(rank), reinterpret_cast<const float*>(parts_[rank].data()));
    }
    meet_.arrive_and_wait();  // nobody puts in anew what another still reads
  }

  static void reduce_parts(const Args& args, int thread, int /*threads*/) {
    if (thread != 0) return;
    auto* const out = static_cast<float*>(args.rows.data);
    args.group->exchange(args, [&](int rank, const float* part) {
      for (int64_t i = 0; i < args.rows.rows * args.rows.width; ++i) out[i] = rank == 0 ? part[i] : out[i] + part[i];
    });
  }

  static void gather_parts(const Args& args, int thread, int /*threads*/) {
    if (thread != 0) return;
    auto* const out = static_cast<float*>(args.rows.data);
    const auto ranks = static_cast<int>(args.group->parts_.size());
    args.group->exchange(args, [&](int rank, const float* part) {
      const Range columns = share_of(args.rows.width, rank, ranks);
      for (int64_t row = 0; row < args.rows.rows; ++row) {
        const int64_t begin = row * args.rows.width + columns.begin;
        std::copy_n(part + begin, columns.end - columns.begin, out + begin);
      }
    });
  }

  static void post(const LetterArgs& args, int thread, int /*threads*/) {
    if (thread != 0) return;
    const std::lock_guard lock(args.group->mutex_);
    args.group->mail_[{args.from, args.to}].push_back(bytes_at(args.data, args.bytes));
    args.group->came_.notify_all();
  }

  static void fetch(const LetterArgs& args, int thread, int /*threads*/) {
    if (thread != 0) return;
    std::unique_lock lock(args.group->mutex_);
    std::deque<Bytes>& mail = args.group->mail_[{args.from, args.to}];
    args.group->came_.wait(lock, [&] { return !mail.empty(); });
    CARAVEL_CHECK_EQ(mail.front().size(), args.bytes);
    std::memcpy(args.data, mail.front().data(), args.bytes);
    mail.pop_front();
  }

  std::vector<std::unique_ptr<Member>> members_;
  std::barrier<> meet_;
  std::vector<Bytes> parts_;  // by rank: what it put in last
  std::mutex mutex_;          // guards what follows
  std::condition_variable came_;
  std::map<std::pair<int, int>, std::deque<Bytes>> mail_;  // by sender and receiver
};

}  // namespace caravel::comm
