#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "http/handler_pool.h"
#include "http/http.h"
#include "http/transport.h"
#include "http/wake_queue.h"

namespace caravel::http {

class Connection;

/// One event loop and what lives on its thread.
struct Loop {
  Loop();
  std::unordered_set<Connection*> connections;
  asio::io_context context{1};
  std::shared_ptr<WakeQueue> wakes;
};

/// Counts what is alive, each by a token that it holds. Any thread.
class LiveCount {
 public:
  class Token {
   public:
    explicit Token(LiveCount& count);
    ~Token();
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;

   private:
    LiveCount& count_;
  };

  /// Until nothing is; false where `limit` passes with something still alive.
  bool wait_for_none(std::chrono::milliseconds limit);

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int64_t live_ = 0;
};

/// What the connections of a server share. Any thread.
struct Shared {
  Shared(const ServerConfig& server_config, Handler server_handler, Gate server_gate);

  const ServerConfig config;
  const Handler handler;
  const Gate gate;
  HandlerPool handlers;  // where `handler` is called
  HandlerPool probes;  // for requests without a body: they ask for what is there, and are answered whatever others send
  HandlerPool writers;  // where work is advanced that takes long: one after the other, a piece each
  LiveCount transactions;
  std::atomic<bool> draining = false;
  std::atomic<int64_t> connections = 0;
  std::atomic<int64_t> accepted = 0;
  std::atomic<int64_t> requests = 0;
  std::atomic<int64_t> dropped_slow_readers = 0;
  std::atomic<int64_t> bad_requests = 0;
  std::function<void()> on_room;  // a connection ended where there were as many as may be
};

}  // namespace caravel::http
