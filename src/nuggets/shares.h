#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include "base/thread_pool.h"

namespace caravel::nuggets {

/// Calls work(begin, end) on every rank of the pool with its share of [0, count). What a rank throws is thrown here,
/// where several do, the lowest rank's.
template <typename Work>
void in_shares(ThreadPool& pool, int64_t count, Work&& work) {
  struct Context {
    Work& work;
    int64_t count;
    int size;
    std::vector<std::exception_ptr> thrown;
  } context = {work, count, pool.size(), std::vector<std::exception_ptr>(static_cast<size_t>(pool.size()))};
  pool.run(
      [](void* opaque, int rank) {
        auto& all = *static_cast<Context*>(opaque);
        const Range share = share_of(all.count, rank, all.size);
        try {
          if (share.begin < share.end) all.work(share.begin, share.end);
        } catch (...) {
          all.thrown[static_cast<size_t>(rank)] = std::current_exception();
        }
      },
      &context);
  for (const std::exception_ptr& exception : context.thrown) {
    if (exception) std::rethrow_exception(exception);
  }
}

}  // namespace caravel::nuggets
