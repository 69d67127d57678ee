#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "http/http.h"
#include "http/response_writer.h"
#include "http/shared.h"

namespace caravel::http {

/// A request from the end of its head to the last byte of its answer: what the handler makes of it, written whenever
/// the connection wants it. Destroyed before that, it drops the work, and no wake reaches it any more. On the loop's
/// thread alone, apart from the handler, which may outlive it.
class Transaction : public std::enable_shared_from_this<Transaction> {
 public:
  /// Writes to `out`. `on_news` is called when there may be something to advance.
  Transaction(Shared& shared, Loop& loop, std::string& out, const ResponseForm& form, std::function<void()> on_news);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Nobody waits for the answer any more: the handler may stop.
  void give_up() { gone_->store(true); }
  /// Has the handler answer. body: what the request's body takes, until then.
  void handle(Request request, Budget::Part body);
  /// That is the answer, after which the connection ends.
  void refuse(Response response);

  /// Work::cut(), also of work that is not there yet.
  void cut();

  /// Nothing follows on the connection.
  void end_connection() { writer_.end_connection(); }
  /// Some of the answer is there.
  bool begun() const { return writer_.begun(); }
  /// There is work to advance: the handler has given it, and it is not aside.
  bool has_work() const { return work_ != nullptr; }
  /// Lets the work write; false: it failed in the midst of its answer.
  bool advance();
  /// Work::probe(); has_work().
  bool probe();
  /// After advance(): nothing follows; else when to advance it without news; and whether the connection goes on.
  bool complete() const { return writer_.complete(); }
  Clock::time_point wake_time() const;
  bool keeps_alive() const { return writer_.keeps_alive(); }

 private:
  struct Aside;

  void begin(std::unique_ptr<Work> work);
  void on_wake();
  void advance_aside();

  Shared& shared_;
  Loop& loop_;
  const LiveCount::Token in_work_;
  const std::function<void()> on_news_;
  const std::shared_ptr<WakeQueue::Target> wake_target_ = std::make_shared<WakeQueue::Target>();
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
  std::string name_;  // in the log: "METHOD PATH"
  ResponseWriter writer_;
  std::unique_ptr<Work> work_;      // none: the handler has it, or it is aside
  std::unique_ptr<Aside> written_;  // what it wrote aside, and waits to be taken
  bool has_news_ = false;           // since it was advanced last
  bool cut_ = false;
};

}  // namespace caravel::http
