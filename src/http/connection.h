#pragma once

#include <memory>
#include <string>

#include "http/deadlines.h"
#include "http/incoming.h"
#include "http/shared.h"
#include "http/transaction.h"
#include "http/transport.h"

namespace caravel::http {

/// One client: joins what it sends (Incoming) with what it is answered (Transaction), one request at a time, and holds
/// both to their deadlines. Two coroutines on the loop's thread own it: one reads requests, and watches the client
/// while an answer is in work; the other advances that answer and writes it.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, Loop& loop, std::unique_ptr<Transport> transport, int64_t number);
  ~Connection();

  void start();
  /// Ends it here and drops the work.
  void close();
  /// Its answer comes to its end now, whatever that takes away from it.
  void cut() {
    if (transaction_) transaction_->cut();
  }
  /// What a handler does for it is of no use to anybody any more. Any thread, once the loop has ended.
  void give_up() {
    if (transaction_) transaction_->give_up();
  }

 private:
  enum class Phase {
    kIdle,     // nothing of a request has come
    kHead,     // a head is coming
    kBody,     // the head is in work, its body is coming
    kLate,     // a head or a body did not come in time; what is in flight comes to its end
    kAnswer,   // the request is answered, and the client watched
    kRefusal,  // the request is answered without having been read whole: nothing more is read
    kLinger,   // our side has ended: the client may read our last words
    kClosed,
  };

  awaitable<void> read_loop();
  awaitable<void> answer_loop();

  /// Until a request is in work, or the connection is over.
  awaitable<void> receive();
  awaitable<void> fill();
  /// Until it is answered.
  awaitable<void> watch();
  /// The client has ended its side, and may yet read: until it is answered, or turns out to be gone.
  awaitable<void> outlast();
  awaitable<void> linger();
  /// Has something sent that shows whether the client is there; false: there is nothing to send.
  bool probe();
  /// Writes out_. False: the client has gone, or takes nothing.
  awaitable<bool> send();

  Incoming::Found parse();
  bool hold_body();
  void begin_transaction(const ResponseForm& form);
  void admit();
  std::string request_id();
  void refuse(Response response);
  void end_transaction();

  bool receives() const { return phase_ <= Phase::kLate; }
  void enter(Phase phase);
  Clock::time_point arrival_deadline() const;
  void on_deadline(Deadline passed);
  void cancel();

  Shared& shared_;
  Loop& loop_;
  const std::unique_ptr<Transport> transport_;
  const int64_t number_;
  const std::string peer_;
  int64_t requests_ = 0;  // admitted
  Phase phase_ = Phase::kIdle;

  Incoming incoming_;
  Budget::Part body_;                         // what the body that is coming takes
  bool takes_interim_ = false;                // the request's version has answers before the final one
  bool probes_ = false;                       // something is to be sent, to see whether the client is there
  std::string out_;                           // to be written next
  std::shared_ptr<Transaction> transaction_;  // from kBody to the end of the answer
  Event something_to_do_;                     // answer_loop waits for it
  Event answered_;                            // read_loop waits for it
  const std::shared_ptr<Deadlines> deadlines_;
};

}  // namespace caravel::http
