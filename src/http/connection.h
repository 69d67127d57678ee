#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "http/http.h"
#include "http/request_reader.h"
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

/// What the connections of a server share. Any thread.
struct Shared {
  ServerConfig config;
  Handler handler;
  Gate gate;
  std::atomic<bool> draining = false;
  std::atomic<int64_t> connections = 0;
  std::atomic<int64_t> accepted = 0;
  std::atomic<int64_t> requests = 0;
  std::atomic<int64_t> dropped_slow_readers = 0;
  std::atomic<int64_t> bad_requests = 0;
  std::function<void()> on_room;  // a connection ended where there were as many as may be

  /// Requests between the end of their head and the last byte of their answer.
  void begin_answer();
  void end_answer();
  /// False where `limit` passes with some still in work.
  bool wait_for_answers(std::chrono::milliseconds limit);

 private:
  std::mutex mutex_;
  std::condition_variable no_answers_;
  int64_t answers_ = 0;
};

/// One client. Two coroutines on the loop's thread: one reads requests, and watches the client while an answer is in
/// work; the other advances that answer and writes it. Requests that were pipelined wait, of them at most one buffer is
/// read ahead. The coroutines own the connection.
class Connection final : public std::enable_shared_from_this<Connection>, private Writer {
 public:
  Connection(Shared& shared, Loop& loop, asio::thread_pool& handlers, std::unique_ptr<Transport> transport,
             int64_t number);
  ~Connection() override;

  void start();
  /// Ends it here if no request is in work; else it ends with that one's answer.
  void drain();
  /// Ends it here and drops the work.
  void close();

 private:
  static constexpr Clock::time_point kNever = Clock::time_point::max();

  enum class Phase { kIdle, kHead, kBody, kAnswer, kLinger };
  enum class Answer { kNone, kStreaming, kComplete };

  /// A request and what becomes of it.
  struct Exchange {
    Request request;
    std::unique_ptr<Work> work;  // nothing while the handler runs
    std::shared_ptr<WakeQueue::Target> wake_target = std::make_shared<WakeQueue::Target>();
    bool woken = false;
  };

  awaitable<void> read_loop(std::shared_ptr<Connection> self);
  awaitable<void> answer_loop(std::shared_ptr<Connection> self);

  awaitable<bool> serve_one();
  /// Reads a whole request into `reader`; false: the connection is over, or `refusal_` says what to answer.
  awaitable<bool> read_request(RequestReader& reader);
  /// Asks the gate; false: refusal_ is its answer.
  bool admit(Request& request);
  awaitable<bool> fill();
  awaitable<bool> flush();
  awaitable<void> refuse();
  awaitable<void> linger();

  void dispatch(RequestReader& reader);
  void begin_work(const std::shared_ptr<Exchange>& exchange, std::unique_ptr<Work> work);
  bool advance();
  void end_exchange();
  void leave_answer();

  void enter(Phase phase, std::chrono::milliseconds limit);
  void arm_timer();
  void on_timer();

  // Writer, of the exchange in work.
  void respond(Response response) override;
  void start(Response head) override;
  void write(std::string_view piece) override;
  void end() override;
  bool keeps_alive() const { return keep_alive_ && !shared_.draining; }

  Shared& shared_;
  Loop& loop_;
  asio::thread_pool& handlers_;
  std::unique_ptr<Transport> transport_;
  const int64_t number_;
  std::string peer_;
  int64_t requests_ = 0;

  std::string in_;     // read and not yet parsed
  std::string out_;    // to be written next
  std::string piece_;  // of a streamed body, since the last advance()

  std::shared_ptr<Exchange> exchange_;
  std::optional<Response> refusal_;
  Phase phase_ = Phase::kIdle;
  Answer answer_ = Answer::kNone;
  bool answer_sent_ = false;  // some of it
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool streamed_ = false;
  bool takes_chunks_ = true;
  bool counted_ = false;  // among shared_'s answers
  bool timed_out_ = false;
  bool closed_ = false;

  Event something_to_do_;  // for answer_loop
  Event answered_;         // for read_loop
  Clock::time_point read_deadline_ = kNever;
  Clock::time_point write_deadline_ = kNever;
  Clock::time_point wake_time_ = kNever;  // of the work
  Clock::time_point armed_ = kNever;      // when the timer runs out: never later than a deadline
  asio::steady_timer timer_;
};

}  // namespace caravel::http
