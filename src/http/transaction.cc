#include "http/transaction.h"

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

Transaction::Transaction(Shared& shared, Loop& loop, std::string& out, const ResponseForm& form,
                         std::function<void()> on_news)
    : shared_(shared), loop_(loop), in_work_(shared.transactions), on_news_(std::move(on_news)), writer_(out, form) {
  wake_target_->on_wake = on_news_;
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
  pool.post([&handler = shared_.handler, &context = loop_.context, job] {
    std::unique_ptr<Work> work = work_of(handler, job->request, job->wake, *job->gone);
    job->held.resize(0);
    if (work == nullptr) return;
    // The work goes back to the loop's thread, to be used and destroyed nowhere else.
    asio::post(context, [weak = std::move(job->transaction), work = std::move(work)]() mutable {
      if (const auto self = weak.lock()) self->begin(std::move(work));
    });
  });
}

void Transaction::refuse(Response response) {
  writer_.end_connection();
  begin(ready(std::move(response)));
}

void Transaction::begin(std::unique_ptr<Work> work) {
  work_ = std::move(work);
  on_news_();
}

bool Transaction::advance() {
  if (shared_.draining) writer_.end_connection();
  try {
    work_->advance(writer_);
  } catch (const std::exception& error) {
    log::error("{}: {}", name_, error.what());
    if (!writer_.replace(internal_error())) return false;
  }
  writer_.pack();
  return true;
}

}  // namespace caravel::http
