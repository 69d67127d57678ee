#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "caravel/engine.h"
#include "caravel/stats.h"
#include "server/metrics/recorder.h"

namespace caravel::server::metrics {

using Families = std::vector<prometheus::MetricFamily>;

/// How families are named, and what every one of their samples says.
struct Naming {
  std::string prefix;  // "caravel:" or "vllm:"
  std::string model_name;

  prometheus::Labels labels() const { return {{"model_name", model_name}}; }
};

/// Families of figures that somebody else counts, read at the time of a scrape.
void add_engine_samples(const Naming& naming, const Stats& stats, const ModelInfo& model, Families& out);
void add_http_samples(const Naming& naming, const HttpFigures& figures, Families& out);
/// Memory, processor time, descriptors and start of this process, under the names of Prometheus' own clients
/// ("process_resident_memory_bytes"), and its uptime.
void add_process_samples(const Naming& naming, Families& out);

/// A family of one sample or more; add() the samples to what make_family() gives.
prometheus::MetricFamily make_family(std::string name, std::string help, prometheus::MetricType type);
void add(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value);

}  // namespace caravel::server::metrics
