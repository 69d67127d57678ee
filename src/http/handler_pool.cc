#include "http/handler_pool.h"

#include <malloc.h>

#include <utility>

#include "base/interrupt.h"

namespace caravel::http {

bool HandlerPool::post(std::function<void()> job) {
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return true;
    // Threads that are free, or yet to begin, take as many.
    if (std::cmp_greater_equal(jobs_.size(), int64_t{queued_} + most_ - busy_)) return false;
    jobs_.push_back(std::move(job));
    ended.swap(ended_);
    if (jobs_.size() > static_cast<size_t>(idle_) && threads_.size() < static_cast<size_t>(most_)) {
      const int number = next_number_++;
      threads_.emplace(number, std::thread(&HandlerPool::run, this, number));
    }
  }
  changed_.notify_one();
  for (std::thread& thread : ended) thread.join();  // at their last instruction
  return true;
}

void HandlerPool::stop() {
  std::unordered_map<int, std::thread> threads;
  std::vector<std::thread> ended;
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    ended.swap(ended_);
    dropped.swap(jobs_);
  }
  changed_.notify_all();
  for (auto& [number, thread] : threads) thread.join();
  for (std::thread& thread : ended) thread.join();
}

void HandlerPool::run(int number) {
  if (priority_ == Priority::kLow) lower_priority();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    ++idle_;
    if (idle_ > kept_ && jobs_.empty()) break;
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    --idle_;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    ++busy_;
    lock.unlock();
    job();
    job = nullptr;
    // What took long may have taken much memory, of which malloc gives nothing back by itself.
    if (thread_is_slow()) ::malloc_trim(0);
    lock.lock();
    --busy_;
    if (thread_is_slow()) {
      ++idle_;
      break;
    }
  }
  if (stopping_) return;
  --idle_;
  const auto own = threads_.find(number);
  ended_.push_back(std::move(own->second));
  threads_.erase(own);
  // What waits must not wait for the next post().
  if (jobs_.size() > static_cast<size_t>(idle_) && threads_.size() < static_cast<size_t>(most_)) {
    const int fresh = next_number_++;
    threads_.emplace(fresh, std::thread(&HandlerPool::run, this, fresh));
  }
}

}  // namespace caravel::http
