#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "caravel/engine.h"
#include "caravel/result.h"

namespace caravel::server::metrics {

/// One request's times, told as they happen by the endpoint that serves it. One thread at a time.
class RequestRecord {
 public:
  virtual ~RequestRecord() = default;  // without finished(): it was cancelled
  virtual void tokens(
      int count) = 0;  // generated tokens that arrived together; the first call ends the time to first token
  virtual void finished(FinishReason reason, const Usage& usage) = 0;
};

/// What the HTTP side counts by itself, for exposition().
struct HttpFigures {
  int64_t connections = 0;  // open now
  int64_t accepted = 0;
  int64_t dropped_slow_readers = 0;
  int64_t bad_requests = 0;
};

/// Prometheus families of the server and the engine, through prometheus-cpp's core. Any thread.
class Recorder {
 public:
  /// vllm_names: vLLM's families ("vllm:time_to_first_token_seconds") for dashboards made for it, else "caravel:".
  static std::unique_ptr<Recorder> make(Engine& engine, const std::string& model_name, bool vllm_names);
  virtual ~Recorder() = default;
  /// A generating request arrived at `endpoint`. The record must not outlive the recorder.
  virtual std::unique_ptr<RequestRecord> arrived(const std::string& endpoint) = 0;
  /// One HTTP exchange is complete. endpoint: a route's path, never what a client made up.
  virtual void answered(const std::string& endpoint, int status, double seconds) = 0;
  /// Prometheus' text format, version 0.0.4; engine figures as of now.
  virtual std::string exposition(const HttpFigures& http = {}) = 0;
};

}  // namespace caravel::server::metrics
