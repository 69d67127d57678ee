#include "grammar/constraint.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace caravel::grammar {

Constraint::Constraint(std::shared_ptr<StateSpace> space, size_t vocab_size, std::vector<int32_t> end_ids)
    : place_(std::move(space)), end_ids_(std::move(end_ids)) {
  mask_.writable().resize((vocab_size + 31) / 32);
}

void Constraint::advance(int32_t token) {
  try {
    if (!place_.dead()) place_.advance(token);
  } catch (const std::exception& error) {
    place_.die();
    error_ = error.what();
  }
}

bool Constraint::find_mask(int64_t work) {
  std::vector<uint32_t>& bits = mask_.writable();
  std::ranges::fill(bits, 0U);
  complete_ = false;
  try {
    const std::shared_ptr<const MaskBits> next = place_.mask(work);
    if (next == nullptr) return false;
    complete_ = place_.complete();
    std::copy_n(next->begin(), std::min(bits.size(), next->size()), bits.begin());
  } catch (const std::exception& error) {
    place_.die();
    error_ = error.what();
  }
  for (const int32_t id : end_ids_) {
    uint32_t& word = bits[static_cast<size_t>(id) / 32];
    word = complete_ ? word | 1U << (id % 32) : word & ~(1U << (id % 32));
  }
  return true;
}

MaskThreads::~MaskThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (Lane* const lane : {&first_, &later_}) {
    lane->changed.notify_all();
    if (lane->thread.joinable()) lane->thread.join();
  }
}

void MaskThreads::post(std::shared_ptr<Constraint> constraint, int32_t token) {
  constraint->mask().set_making();
  add(first_, {std::move(constraint), token});
}

void MaskThreads::add(Lane& lane, Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    lane.jobs.push_back(std::move(job));
    if (!lane.thread.joinable()) lane.thread = std::thread(&MaskThreads::run, this, std::ref(lane));
  }
  lane.changed.notify_one();
}

void MaskThreads::run(Lane& lane) {
  constexpr std::chrono::seconds kIdle{5};
  // The thread's own: on Linux a priority belongs to a thread. Refused, it is as others are.
  if (!lane.at_first) ::setpriority(PRIO_PROCESS, 0, 10);
  bool worked = false;
  std::unique_lock lock(mutex_);
  const auto news = [&] { return stopping_ || !lane.jobs.empty(); };
  while (true) {
    if (!worked) {
      lane.changed.wait(lock, news);
    } else if (!lane.changed.wait_for(lock, kIdle, news)) {
      worked = false;
      lock.unlock();
      if (calls_.idle) calls_.idle();
      lock.lock();
      continue;
    }
    if (stopping_) return;
    Job job = std::move(lane.jobs.front());
    lane.jobs.pop_front();
    lock.unlock();
    worked = true;
    // Held by nobody else, its request has ended.
    if (job.constraint.use_count() > 1) {
      if (lane.at_first && calls_.before) calls_.before();
      if (lane.at_first && job.token != kBegin) job.constraint->advance(job.token);
      if (!job.constraint->find_mask(lane.work)) {
        add(later_, std::move(job));
      } else if (job.constraint->mask().set_ready() && calls_.ready) {
        calls_.ready();
      }
    }
    job = {};
    lock.lock();
  }
}

}  // namespace caravel::grammar
