#include "cli/run_in_order.h"

#include <chrono>
#include <deque>

#include "base/clock.h"
#include "base/error.h"

namespace caravel::cli {
namespace {

/// Until it has ended: true, or until it is interrupted: false.
bool wait_for(RequestHandle& handle, const InterruptGuard& guard) {
  while (!guard.interrupted()) {
    if (handle.next(Clock::now() + std::chrono::milliseconds(100)).ended()) return true;
  }
  return false;
}

}  // namespace

size_t run_in_order(size_t count, size_t ahead, const InterruptGuard& guard,
                    const std::function<std::unique_ptr<RequestHandle>(size_t)>& send,
                    const std::function<void(size_t, const Result&)>& each) {
  std::deque<std::unique_ptr<RequestHandle>> running;
  size_t sent = 0;
  for (size_t done = 0; done < count; ++done) {
    while (sent < count && running.size() < ahead) running.push_back(send(sent++));
    if (!wait_for(*running.front(), guard)) return done;
    const Result& result = running.front()->result();
    if (!result.error.empty()) throw fail<Error>("{}", result.error);
    each(done, result);
    running.pop_front();
  }
  return count;
}

}  // namespace caravel::cli
