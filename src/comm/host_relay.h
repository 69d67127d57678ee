#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/check.h"
#include "comm/communicator.h"

namespace caravel::comm {

/// A group of ranks in one process, each of another device, that hand on what they have through pinned memory of the
/// host: of any rank to any other there is room for one message. Who drives them sees to it that a message has been
/// sent before its receipt is enqueued, and received before the next is. All on one thread.
class HostRelay {
 public:
  /// pinned: the device whose streams need pinned memory. bytes: of the largest message. Throws CapacityError.
  HostRelay(Device& pinned, int size, size_t bytes) : size_(size), bytes_(bytes) {
    for (int rank = 0; rank < size; ++rank) members_.push_back(std::make_unique<Member>(*this, rank));
    for (int i = 0; i < size * size; ++i) {
      messages_.push_back(i / size == i % size ? HostBuffer() : pinned.allocate_host(bytes));
    }
  }

  Communicator& member(int rank) { return *members_[static_cast<size_t>(rank)]; }
  /// That its messages take together.
  static size_t total_bytes(int size, size_t bytes) { return static_cast<size_t>(size * (size - 1)) * bytes; }

 private:
  class Member final : public Communicator {
   public:
    Member(HostRelay& relay, int rank) : relay_(relay), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return relay_.size_; }
    // Ranks of one pipeline have nothing to sum.
    void all_reduce(Stream&, const Tensor&) override { CARAVEL_CHECK(false); }
    void all_gather(Stream&, const Tensor&) override { CARAVEL_CHECK(false); }
    void send(Stream& stream, const void* data, size_t bytes, int to) override {
      stream.copy(relay_.message(rank_, to, bytes), data, bytes);
    }
    void recv(Stream& stream, void* data, size_t bytes, int from) override {
      stream.copy(data, relay_.message(from, rank_, bytes), bytes);
    }

   private:
    HostRelay& relay_;
    const int rank_;
  };

  std::byte* message(int from, int to, size_t bytes) const {
    CARAVEL_CHECK_LE(bytes, bytes_);
    CARAVEL_CHECK(from != to);
    return messages_[static_cast<size_t>(from * size_ + to)].as();
  }

  const int size_;
  const size_t bytes_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<HostBuffer> messages_;  // [from, to]
};

}  // namespace caravel::comm
