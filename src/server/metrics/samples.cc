#include "server/metrics/samples.h"

#include "base/check.h"

namespace caravel::server::metrics {
namespace {

using prometheus::MetricType;

/// Adds families of one name prefix and one set of labels.
class Adder {
 public:
  Adder(const Naming& naming, Families& out) : naming_(naming), out_(out) {}

  void gauge(const char* name, const char* help, double value) { one(name, help, MetricType::Gauge, value); }
  void counter(const char* name, const char* help, double value) { one(name, help, MetricType::Counter, value); }
  prometheus::MetricFamily& family(const char* name, const char* help, MetricType type) {
    return out_.emplace_back(make_family(naming_.prefix + name, help, type));
  }

 private:
  void one(const char* name, const char* help, MetricType type, double value) {
    add(family(name, help, type), naming_.labels(), value);
  }

  const Naming& naming_;
  Families& out_;
};

}  // namespace

prometheus::MetricFamily make_family(std::string name, std::string help, MetricType type) {
  return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {}};
}

void add(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    CARAVEL_CHECK(family.type == MetricType::Gauge);
    metric.gauge.value = value;
  }
}

void add_engine_samples(const Naming& naming, const Stats& stats, const ModelInfo& model, Families& out) {
  Adder adder(naming, out);
  adder.gauge("num_requests_running", "Requests in the engine's batch", stats.running_requests);
  adder.gauge("num_requests_waiting", "Requests that wait to be computed", stats.waiting_requests);
  adder.gauge("num_requests_swapped", "Requests whose blocks lie in host memory", stats.swapped_requests);

  const auto blocks = static_cast<double>(stats.total_blocks);
  const double usage = blocks > 0 ? static_cast<double>(stats.used_blocks) / blocks : 0;
  adder.gauge("kv_cache_usage_perc", "Share of the KV blocks that sequences hold; 1 is all of them", usage);
  adder.gauge("kv_cache_blocks", "KV blocks of the pool", blocks);
  adder.gauge("kv_cache_used_blocks", "KV blocks that sequences hold", static_cast<double>(stats.used_blocks));
  adder.gauge("kv_cache_cached_blocks", "Free KV blocks that still hold a prefix that may be found",
              static_cast<double>(stats.cached_blocks));
  prometheus::Labels sizes = naming.labels();
  sizes["block_size"] = std::to_string(stats.block_size);
  sizes["num_gpu_blocks"] = std::to_string(stats.total_blocks);  // vLLM's name of it, on whatever device
  sizes["max_model_len"] = std::to_string(model.max_model_len);
  add(adder.family("cache_config_info", "How the KV cache is laid out", MetricType::Gauge), sizes, 1);

  const auto computed = static_cast<double>(stats.prompt_tokens);
  const auto found = static_cast<double>(stats.cached_tokens);
  adder.counter("prompt_tokens_total", "Prompt tokens, computed or found in the prefix cache", computed + found);
  adder.counter("generation_tokens_total", "Generated tokens", static_cast<double>(stats.generated_tokens));
  adder.counter("prefix_cache_queries_total", "Prompt tokens looked for in the prefix cache", computed + found);
  adder.counter("prefix_cache_hits_total", "Prompt tokens found in the prefix cache", found);
  prometheus::MetricFamily& preemptions =
      adder.family("num_preemptions_total", "Requests put back because blocks ran out", MetricType::Counter);
  for (const auto& [kind, count] :
       {std::pair("recompute", stats.preemptions_recompute), std::pair("swap", stats.preemptions_swap)}) {
    prometheus::Labels labels = naming.labels();
    labels["kind"] = kind;
    add(preemptions, labels, static_cast<double>(count));
  }
  adder.counter("engine_steps_total", "Steps of the engine", static_cast<double>(stats.steps));
  adder.counter("engine_busy_seconds_total", "Time spent in steps", stats.busy_seconds);
}

void add_http_samples(const Naming& naming, const HttpFigures& figures, Families& out) {
  Adder adder(naming, out);
  adder.gauge("http_connections", "Open connections", static_cast<double>(figures.connections));
  adder.counter("http_connections_accepted_total", "Connections accepted", static_cast<double>(figures.accepted));
  adder.counter("http_dropped_slow_readers_total", "Clients dropped because they took nothing for too long",
                static_cast<double>(figures.dropped_slow_readers));
  adder.counter("http_bad_requests_total", "Requests refused before an endpoint saw them: malformed, too large, late",
                static_cast<double>(figures.bad_requests));
}

}  // namespace caravel::server::metrics
