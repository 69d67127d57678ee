#pragma once

#include <memory>
#include <string>

#include "server/exchange.h"
#include "server/metrics/recorder.h"

namespace caravel::server {

/// A recorder that also notes in the exchange what was generated for it: endpoints know the recorder alone. Any thread.
class ExchangeRecorder final : public metrics::Recorder {
 public:
  /// While it lives, what arrives on this thread belongs to `exchange`. Not nested.
  class Scope {
   public:
    explicit Scope(std::shared_ptr<Exchange> exchange);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

  explicit ExchangeRecorder(std::unique_ptr<metrics::Recorder> recorder) : recorder_(std::move(recorder)) {}

  std::unique_ptr<metrics::RequestRecord> arrived(const std::string& endpoint) override;
  void answered(const std::string& endpoint, int status, double seconds) override {
    recorder_->answered(endpoint, status, seconds);
  }
  std::string exposition(const metrics::HttpFigures& http) override { return recorder_->exposition(http); }

 private:
  std::unique_ptr<metrics::Recorder> recorder_;
};

}  // namespace caravel::server
