#include "server/metrics/recorder.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/clock.h"
#include "server/metrics/samples.h"

namespace caravel::server::metrics {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// vLLM's (vllm/v1/metrics/buckets.py), so that one histogram_quantile() fits both; between tokens three more below its
// 10 ms, where small models live.
const Buckets kFirstTokenBuckets = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
                                    1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
const Buckets kBetweenTokensBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3,
                                       0.4,   0.5,    0.75,  1,    2.5,   5,    7.5,   10,  20,   40,  80};
const Buckets kRequestBuckets = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                 30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
const Buckets kHttpBuckets = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600};

/// 1, 2, 5, 10, ... up to the longest sequence.
Buckets token_buckets(int max_model_len) {
  Buckets buckets;
  for (double decade = 1; decade <= max_model_len; decade *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      if (decade * step <= max_model_len) buckets.push_back(decade * step);
    }
  }
  return buckets;
}

/// vLLM's spelling: "abort" is a request that was cancelled.
const char* outcome(FinishReason reason) {
  return reason == FinishReason::kCancelled ? "abort" : finish_reason_name(reason);
}

class RecorderImpl final : public Recorder {
 public:
  RecorderImpl(Engine& engine, const std::string& model_name, bool vllm_names)
      : engine_(engine),
        vllm_names_(vllm_names),
        naming_{vllm_names ? "vllm:" : "caravel:", model_name},
        max_model_len_(engine.model().max_model_len) {}

  std::unique_ptr<RequestRecord> arrived(const std::string& endpoint) override;
  void answered(const std::string& endpoint, int status, double seconds) override;
  std::string exposition(const HttpFigures& http) override;

 private:
  class Record;

  prometheus::Histogram& histogram(const char* name, const char* help, const Buckets& buckets) {
    return prometheus::BuildHistogram()
        .Name(naming_.prefix + name)
        .Help(help)
        .Register(registry_)
        .Add(naming_.labels(), buckets);
  }
  void ended(const char* reason) { ended_.Add(with("finished_reason", reason)).Increment(); }
  prometheus::Labels with(const char* name, const std::string& value) const {
    prometheus::Labels labels = naming_.labels();
    labels[name] = value;
    return labels;
  }
  /// A family of counters, gauges or histograms, by its builder.
  template <typename Builder>
  auto family(Builder builder, const char* name,
              const char* help) -> decltype(builder.Register(std::declval<prometheus::Registry&>())) {
    return builder.Name(naming_.prefix + name).Help(help).Register(registry_);
  }

  Engine& engine_;
  const bool vllm_names_;
  const Naming naming_;
  const int max_model_len_;
  prometheus::Registry registry_;

  prometheus::Histogram& first_token_ =
      histogram("time_to_first_token_seconds", "From a request's arrival to its first token", kFirstTokenBuckets);
  prometheus::Histogram& between_tokens_ =
      histogram("inter_token_latency_seconds", "Between one token of a request and the next", kBetweenTokensBuckets);
  prometheus::Histogram& per_token_ =
      histogram("request_time_per_output_token_seconds", "A request's time after its first token, for each further one",
                kBetweenTokensBuckets);
  prometheus::Histogram& latency_ =
      histogram("e2e_request_latency_seconds", "From a request's arrival to its end", kRequestBuckets);
  prometheus::Histogram& prompt_tokens_ =
      histogram("request_prompt_tokens", "Tokens of a request's prompt", token_buckets(max_model_len_));
  prometheus::Histogram& generation_tokens_ =
      histogram("request_generation_tokens", "Tokens that a request generated", token_buckets(max_model_len_));
  prometheus::Family<prometheus::Counter>& ended_ =
      family(prometheus::BuildCounter(), "request_success_total", "Requests that ended, by how");
  prometheus::Family<prometheus::Gauge>& in_flight_ =
      family(prometheus::BuildGauge(), "requests_in_flight", "Generating requests that are being served");
  prometheus::Family<prometheus::Counter>& http_requests_ =
      family(prometheus::BuildCounter(), "http_requests_total", "HTTP requests answered");
  prometheus::Family<prometheus::Histogram>& http_seconds_ = family(
      prometheus::BuildHistogram(), "http_request_duration_seconds", "From an HTTP request to its answer's last byte");
};

class RecorderImpl::Record final : public RequestRecord {
 public:
  Record(RecorderImpl& recorder, prometheus::Gauge& in_flight) : recorder_(recorder), in_flight_(in_flight) {
    in_flight_.Increment();
  }
  ~Record() override {
    in_flight_.Decrement();
    if (!finished_) recorder_.ended(outcome(FinishReason::kCancelled));
  }

  void tokens(int count) override {
    if (count <= 0) return;
    const Clock::time_point now = Clock::now();
    if (tokens_ == 0) {
      first_ = now;
      recorder_.first_token_.Observe(seconds_since(arrival_));
    } else {
      const double each = std::chrono::duration<double>(now - last_).count() / count;
      for (int i = 0; i < count; ++i) recorder_.between_tokens_.Observe(each);
    }
    tokens_ += count;
    last_ = now;
  }

  void finished(FinishReason reason, const Usage& usage) override {
    finished_ = true;
    recorder_.ended(outcome(reason));
    recorder_.latency_.Observe(seconds_since(arrival_));
    recorder_.prompt_tokens_.Observe(usage.prompt_tokens);
    recorder_.generation_tokens_.Observe(usage.completion_tokens);
    if (tokens_ > 1) recorder_.per_token_.Observe(seconds_since(first_) / (tokens_ - 1));
  }

 private:
  RecorderImpl& recorder_;
  prometheus::Gauge& in_flight_;
  const Clock::time_point arrival_ = Clock::now();
  Clock::time_point first_;
  Clock::time_point last_;
  int tokens_ = 0;
  bool finished_ = false;
};

std::unique_ptr<RequestRecord> RecorderImpl::arrived(const std::string& endpoint) {
  return std::make_unique<Record>(*this, in_flight_.Add(with("endpoint", endpoint)));
}

void RecorderImpl::answered(const std::string& endpoint, int status, double seconds) {
  prometheus::Labels labels = with("endpoint", endpoint);
  http_seconds_.Add(labels, kHttpBuckets).Observe(seconds);
  labels["status"] = std::to_string(status);
  http_requests_.Add(labels).Increment();
}

std::string RecorderImpl::exposition(const HttpFigures& http) {
  Families families = registry_.Collect();
  add_engine_samples(naming_, engine_.stats(), engine_.model(), families);
  add_http_samples(naming_, http, families);
  add_process_samples(naming_, families);
  if (vllm_names_) {
    // What two of them were called before vLLM 0.11: dashboards of both ages work.
    for (const auto& [name, former] : {std::pair("kv_cache_usage_perc", "gpu_cache_usage_perc"),
                                       std::pair("inter_token_latency_seconds", "time_per_output_token_seconds")}) {
      prometheus::MetricFamily copy =
          *std::ranges::find(families, naming_.prefix + name, &prometheus::MetricFamily::name);
      copy.name = naming_.prefix + former;
      families.push_back(std::move(copy));
    }
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace

std::unique_ptr<Recorder> Recorder::make(Engine& engine, const std::string& model_name, bool vllm_names) {
  return std::make_unique<RecorderImpl>(engine, model_name, vllm_names);
}

}  // namespace caravel::server::metrics
