#include "grammar/constraint.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/error.h"

namespace caravel::grammar {

Constraint::Constraint(std::shared_ptr<StateSpace> space, size_t vocab_size, std::vector<int32_t> end_ids,
                       size_t max_bytes)
    : space_(std::move(space)), end_ids_(std::move(end_ids)), max_bytes_(max_bytes), state_(space_->start()) {
  mask_.writable().resize((vocab_size + 31) / 32);
}

void Constraint::begin() { find_mask(); }

void Constraint::advance(int32_t token) {
  try {
    if (state_ != StateSpace::kDead) state_ = space_->advance(state_, token);
  } catch (const std::exception& error) {
    state_ = StateSpace::kDead;
    error_ = error.what();
  }
  find_mask();
}

void Constraint::find_mask() {
  std::vector<uint32_t>& bits = mask_.writable();
  std::ranges::fill(bits, 0U);
  complete_ = false;
  try {
    if (state_ != StateSpace::kDead) {
      complete_ = space_->complete(state_);
      const std::shared_ptr<const MaskBits> next = space_->mask(state_);
      if (space_->bytes() > max_bytes_) {
        throw fail<CapacityError>("the grammar's states take {} MiB, and {} are set aside: simplify it",
                                  space_->bytes() >> 20, max_bytes_ >> 20);
      }
      std::copy_n(next->begin(), std::min(bits.size(), next->size()), bits.begin());
    }
  } catch (const std::exception& error) {
    state_ = StateSpace::kDead;
    error_ = error.what();
  }
  for (const int32_t id : end_ids_) {
    uint32_t& word = bits[static_cast<size_t>(id) / 32];
    word = complete_ ? word | 1U << (id % 32) : word & ~(1U << (id % 32));
  }
  mask_.set_ready(true);
}

MaskThread::~MaskThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MaskThread::post(std::shared_ptr<Constraint> constraint, int32_t token) {
  constraint->mask_.set_ready(false);
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(constraint), token});
    if (!thread_.joinable()) thread_ = std::thread(&MaskThread::run, this);
  }
  changed_.notify_one();
}

void MaskThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    if (job.token == kBegin) {
      job.constraint->begin();
    } else {
      job.constraint->advance(job.token);
    }
    job = {};
    lock.lock();
  }
}

}  // namespace caravel::grammar
