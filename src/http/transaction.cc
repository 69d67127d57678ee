#include "http/transaction.h"

#include <exception>
#include <optional>
#include <utility>

#include "base/interrupt.h"
#include "base/log.h"

namespace caravel::http {
namespace {

std::string name_of(const Request& request) { return request.method + " " + request.path; }

/// nullptr: nobody waits for it any more.
std::unique_ptr<Work> work_of(const Handler& handler, const Request& request, const Wake& wake,
                              const std::atomic<bool>& gone) {
  if (gone) return nullptr;
  const InterruptScope scope(gone);
  try {
    if (std::unique_ptr<Work> work = handler(request, wake)) return work;
  } catch (const Interrupted&) {
    return nullptr;
  } catch (const std::exception& error) {
    log::error("{}: {}", name_of(request), error.what());
  }
  return ready(internal_error());
}

}  // namespace

/// What work writes aside, until the connection takes it.
struct Transaction::Aside final : Writer {
  void respond(Response response) override { whole = std::move(response); }
  void start(Response response) override { head = std::move(response); }
  void write(std::string_view piece) override { pieces += piece; }
  void end() override { ended = true; }

  void replay(Writer& writer) {
    if (error) std::rethrow_exception(error);
    if (whole) writer.respond(*std::move(whole));
    if (head) writer.start(*std::move(head));
    if (!pieces.empty()) writer.write(pieces);
    if (ended) writer.end();
  }

  std::optional<Response> whole;
  std::optional<Response> head;
  std::string pieces;
  bool ended = false;
  std::exception_ptr error;
};

Transaction::Transaction(Shared& shared, Loop& loop, std::string& out, const ResponseForm& form,
                         std::function<void()> on_news)
    : shared_(shared), loop_(loop), in_work_(shared.transactions), on_news_(std::move(on_news)), writer_(out, form) {
  wake_target_->on_wake = [this] { on_wake(); };
}

Transaction::~Transaction() {
  give_up();
  wake_target_->on_wake = nullptr;
}

void Transaction::handle(Request request, Budget::Part body) {
  name_ = name_of(request);
  struct Job {
    std::weak_ptr<Transaction> transaction;
    std::shared_ptr<std::atomic<bool>> gone;
    Wake wake;
    Request request;
    Budget::Part held;
  };
  HandlerPool& pool = request.body.empty() ? shared_.probes : shared_.handlers;
  const auto job = std::make_shared<Job>(weak_from_this(), gone_, WakeQueue::wake_of(loop_.wakes, wake_target_),
                                         std::move(request), std::move(body));
  const bool taken = pool.post([&handler = shared_.handler, &context = loop_.context, job] {
    std::unique_ptr<Work> work = work_of(handler, job->request, job->wake, *job->gone);
    job->held.resize(0);
    if (work == nullptr) return;
    // The work goes back to the loop's thread, to be used and destroyed nowhere else.
    asio::post(context, [weak = std::move(job->transaction), work = std::move(work)]() mutable {
      if (const auto self = weak.lock()) self->begin(std::move(work));
    });
  });
  if (taken) return;
  begin(ready(retry_later(fmt::format("{} requests wait to be looked at, as many as may: send it again later",
                                      shared_.config.max_queued_handlers))));
}

void Transaction::refuse(Response response) {
  writer_.end_connection();
  begin(ready(std::move(response)));
}

void Transaction::begin(std::unique_ptr<Work> work) {
  work_ = std::move(work);
  if (cut_) work_->cut();
  on_news_();
}

void Transaction::cut() {
  cut_ = true;
  if (!work_) return;
  work_->cut();
  on_news_();
}

void Transaction::on_wake() {
  has_news_ = true;
  on_news_();
}

bool Transaction::advance() {
  if (shared_.draining) writer_.end_connection();
  try {
    if (written_) {
      std::exchange(written_, nullptr)->replay(writer_);
    } else {
      has_news_ = false;
      if (work_->takes_long()) {
        advance_aside();
        return true;
      }
      work_->advance(writer_);
    }
  } catch (const std::exception& error) {
    log::error("{}: {}", name_, error.what());
    if (!writer_.replace(internal_error())) return false;
  }
  writer_.pack();
  return true;
}

bool Transaction::probe() {
  const bool is_told = work_->probe(writer_);
  writer_.pack();
  return is_told;
}

void Transaction::advance_aside() {
  struct Job {
    std::weak_ptr<Transaction> transaction;
    std::unique_ptr<Work> work;
    std::unique_ptr<Aside> written;
  };
  const auto job = std::make_shared<Job>(weak_from_this(), std::move(work_), std::make_unique<Aside>());
  shared_.writers.post([&context = loop_.context, job] {
    try {
      job->work->advance(*job->written);
    } catch (const std::exception&) {
      job->written->error = std::current_exception();
    }
    asio::post(context, [transaction = std::move(job->transaction), work = std::move(job->work),
                         written = std::move(job->written)]() mutable {
      const auto self = transaction.lock();
      if (!self) return;
      self->written_ = std::move(written);
      self->begin(std::move(work));
    });
  });
}

Clock::time_point Transaction::wake_time() const {
  if (complete() || !work_) return Clock::time_point::max();
  return has_news_ ? Clock::time_point::min() : work_->wake_time();
}

}  // namespace caravel::http
