#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace caravel {

/// The processors that this process may use: its affinity mask, cut to a cgroup's quota where there is one. At least 1.
int usable_processors();

/// Threads that run one function together, SPMD. Workers spin briefly for the next job and then sleep, so that an idle
/// pool uses no processor time. Where there are as many ranks as this process may use processors, each worker stays on
/// one of its own; fewer go wherever the system has room. One thread at a time may call run().
class ThreadPool {
 public:
  /// `threads` ranks, the caller of run() being rank 0. Throws InvalidArgument below 1 or above 1024.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return size_; }

  /// Keeps the calling thread on the processor that the workers leave to rank 0, where they have theirs. For a thread
  /// that will do nothing else than call run().
  void pin_caller() const { pin(0); }

  /// Calls job(context, rank) once on every rank and returns when all are done. Allocates nothing. `job` must not
  /// throw.
  using Job = void (*)(void* context, int rank);
  void run(Job job, void* context);

  /// Inside a job: waits until every rank is here.
  void barrier();

 private:
  void work(int rank);
  void pin(int rank) const;

  const int size_;
  const std::vector<int> processors_;  // by rank; empty: not pinned
  std::vector<std::thread> workers_;
  Job job_ = nullptr;
  void* context_ = nullptr;
  alignas(64) std::atomic<uint32_t> generation_{0};  // counts jobs; workers wait for it to change
  alignas(64) std::atomic<uint32_t> running_{0};     // workers that have not finished the job
  alignas(64) std::atomic<uint32_t> arrived_{0};     // ranks at the barrier
  alignas(64) std::atomic<uint32_t> barrier_phase_{0};
  std::atomic<bool> stop_{false};
};

/// The part of [0, count) that falls to `rank` of `size`, in multiples of `grain`.
struct Range {
  int64_t begin;
  int64_t end;
};
inline Range share_of(int64_t count, int rank, int size, int64_t grain = 1) {
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t begin = grains * rank / size * grain;
  const int64_t end = grains * (rank + 1) / size * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

}  // namespace caravel
