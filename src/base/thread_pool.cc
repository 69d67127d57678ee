#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>

#include "base/cgroup.h"
#include "base/error.h"

namespace caravel {
namespace {

// About 20 microseconds: longer than the gap between two regions of a step, shorter than anyone's notice.
constexpr int kSpins = 4000;

inline void pause_once() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `word` is no longer `old`: spins first, then sleeps.
void wait_for_change(const std::atomic<uint32_t>& word, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause_once();
  }
  while (word.load(std::memory_order_acquire) == old) word.wait(old, std::memory_order_acquire);
}

/// The processors in this thread's affinity mask; empty where the system does not tell.
std::vector<int> allowed_processors() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<size_t>(i), &mask)) processors.push_back(i);
  }
  return processors;
}

/// A processor for each rank, where that takes all that this process may use.
std::vector<int> choose_processors(int threads) {
  std::vector<int> processors = allowed_processors();
  const bool all = threads > 1 && processors.size() == static_cast<size_t>(threads) &&
                   cgroup_processors().value_or(threads) >= threads;
  if (!all) processors.clear();
  return processors;
}

}  // namespace

int usable_processors() {
  const auto allowed = static_cast<int>(allowed_processors().size());
  const int count = allowed > 0 ? allowed : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(count, cgroup_processors().value_or(count)));
}

ThreadPool::ThreadPool(int threads) : size_(threads), processors_(choose_processors(threads)) {
  if (threads < 1 || threads > 1024) throw fail<InvalidArgument>("{} threads asked for; give 1 to 1024", threads);
  workers_.reserve(static_cast<size_t>(threads - 1));
  for (int rank = 1; rank < threads; ++rank) workers_.emplace_back([this, rank] { work(rank); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(Job job, void* context) {
  if (size_ == 1) {
    job(context, 0);
    return;
  }
  job_ = job;
  context_ = context;
  running_.store(static_cast<uint32_t>(size_ - 1), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  job(context, 0);
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    wait_for_change(running_, left);
  }
}

void ThreadPool::pin(int rank) const {
  if (processors_.empty()) return;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(static_cast<size_t>(processors_[static_cast<size_t>(rank)]), &mask);
  // Advice: a thread that may not be pinned runs where the system lets it.
  sched_setaffinity(0, sizeof mask, &mask);
}

void ThreadPool::work(int rank) {
  pin(rank);
  uint32_t seen = 0;
  while (true) {
    wait_for_change(generation_, seen);
    seen = generation_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    job_(context_, rank);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

void ThreadPool::barrier() {
  if (size_ == 1) return;
  const uint32_t phase = barrier_phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(size_)) {
    arrived_.store(0, std::memory_order_relaxed);
    barrier_phase_.fetch_add(1, std::memory_order_release);
    barrier_phase_.notify_all();
  } else {
    wait_for_change(barrier_phase_, phase);
  }
}

}  // namespace caravel
