#include "http/shared.h"

#include <algorithm>
#include <utility>

namespace caravel::http {

Loop::Loop() : wakes(std::make_shared<WakeQueue>([this] { asio::post(context, [this] { wakes->drain(); }); })) {}

LiveCount::Token::Token(LiveCount& count) : count_(count) {
  const std::lock_guard lock(count_.mutex_);
  ++count_.live_;
}

LiveCount::Token::~Token() {
  const std::lock_guard lock(count_.mutex_);
  if (--count_.live_ == 0) count_.none_.notify_all();
}

bool LiveCount::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [this] { return live_ == 0; });
}

Shared::Shared(const ServerConfig& server_config, Handler server_handler, Gate server_gate)
    : config(server_config),
      handler(std::move(server_handler)),
      gate(std::move(server_gate)),
      handlers(std::max(1, config.handler_threads), 4 * std::max(1, config.handler_threads),
               config.max_queued_handlers),
      probes(1, 2),
      writers(1, 1, HandlerPool::kAnyNumber, HandlerPool::Priority::kLow) {}

}  // namespace caravel::http
