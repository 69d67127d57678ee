#include "server/exchange_recorder.h"

#include <utility>

namespace caravel::server {
namespace {

thread_local std::shared_ptr<Exchange> current;

class NotedRecord final : public metrics::RequestRecord {
 public:
  NotedRecord(std::unique_ptr<RequestRecord> record, std::shared_ptr<Exchange> exchange)
      : record_(std::move(record)), exchange_(std::move(exchange)) {}

  void tokens(int count) override { record_->tokens(count); }
  void finished(FinishReason reason, const Usage& usage) override {
    exchange_->finish_reason = reason;
    exchange_->usage.prompt_tokens += usage.prompt_tokens;
    exchange_->usage.completion_tokens += usage.completion_tokens;
    exchange_->usage.cached_tokens += usage.cached_tokens;
    record_->finished(reason, usage);
  }

 private:
  std::unique_ptr<RequestRecord> record_;
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

ExchangeRecorder::Scope::Scope(std::shared_ptr<Exchange> exchange) { current = std::move(exchange); }
ExchangeRecorder::Scope::~Scope() { current.reset(); }

std::unique_ptr<metrics::RequestRecord> ExchangeRecorder::arrived(const std::string& endpoint) {
  if (!current) return recorder_->arrived(endpoint);
  return std::make_unique<NotedRecord>(recorder_->arrived(current->endpoint), current);
}

}  // namespace caravel::server
