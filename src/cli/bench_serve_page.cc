#include "cli/bench_serve_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/percentile.h"
#include "report/page.h"

namespace caravel::cli {
namespace {

constexpr int kCurvePoints = 200;  // a cumulative curve's
constexpr int kTimeBins = 60;

report::Table rate_table(const LoadReport& report) {
  report::Table table{.title = "", .columns = {"", "per second", "in all"}, .rows = {}};
  const auto add = [&](const char* name, auto count) {
    table.rows.push_back(
        {name, fmt::format("{:.2f}", report.per_second(static_cast<double>(count))), std::to_string(count)});
  };
  add("requests", report.completed);
  if (!report.slos.empty()) add("requests within the bounds", report.good);
  add("input tokens", report.input_tokens);
  add("output tokens", report.output_tokens);
  add("tokens", report.input_tokens + report.output_tokens);
  return table;
}

report::Table latency_table(const LoadReport& report) {
  report::Table table{.title = "", .columns = {"latency, ms", "mean", "p50", "p90", "p99"}, .rows = {}};
  for (const Latencies& latencies : report.latencies) {
    table.rows.push_back({latencies.title, fmt::format("{:.2f}", latencies.mean())});
    for (const double share : {0.5, 0.9, 0.99})
      table.rows.back().push_back(fmt::format("{:.2f}", percentile(latencies.sorted, share)));
  }
  return table;
}

report::Plot latency_plot(const LoadReport& report) {
  report::Plot plot{.title = "Latency: share of samples below",
                    .x = {"latency", "ms", true},
                    .y = {.label = "share", .unit = "%", .low = 0, .high = 100}};
  for (const Latencies& latencies : report.latencies) {
    report::Series series{latencies.title, {}, {}, {}};
    for (int i = 0; i <= kCurvePoints && !latencies.sorted.empty(); ++i) {
      const double share = static_cast<double>(i) / kCurvePoints;
      series.x.push_back(percentile(latencies.sorted, share));
      series.y.push_back(100 * share);
    }
    plot.series.push_back(std::move(series));
  }
  for (const Slo& slo : report.slos)
    plot.markers.push_back({report::Marker::Axis::kX, slo.limit, "bound of " + slo.name});
  return plot;
}

/// Two plots, since tokens and requests are of different sizes.
void add_time_plots(report::Page& page, const std::vector<RequestRecord>& records) {
  double end = 0;
  for (const RequestRecord& record : records) end = std::max(end, record.ended ? record.end : 0);
  if (end <= 0) return;
  std::vector<double> middles(kTimeBins);
  std::vector<double> tokens(kTimeBins);
  std::vector<double> running(kTimeBins);
  const double bin = end / kTimeBins;
  const auto bin_of = [bin](double time) {
    return static_cast<size_t>(std::clamp(time / bin, 0.0, double{kTimeBins - 1}));
  };
  for (size_t i = 0; i < kTimeBins; ++i) middles[i] = (static_cast<double>(i) + 0.5) * bin;
  for (const RequestRecord& record : records) {
    if (!record.ended || !record.error.empty() || record.times.empty()) continue;
    // A piece may be several tokens: each counts for its share of the answer.
    const double share = static_cast<double>(record.output_tokens) / static_cast<double>(record.times.size());
    for (const double time : record.times) tokens[bin_of(time)] += share / bin;
    for (size_t i = bin_of(record.start); i <= bin_of(record.end); ++i) {
      const double from = std::max(record.start, static_cast<double>(i) * bin);
      running[i] += std::max(0.0, std::min(record.end, static_cast<double>(i + 1) * bin) - from) / bin;
    }
  }
  const report::Axis time{.label = "since the start", .unit = "s", .low = 0, .high = end};
  page.plot({.title = "Output tokens per second",
             .x = time,
             .y = {.label = "tokens/s", .low = 0},
             .series = {{"output tokens/s", middles, tokens, {}}}});
  page.plot({.title = "Requests that run",
             .x = time,
             .y = {.label = "requests", .low = 0},
             .series = {{"requests", middles, running, {}}}});
}

}  // namespace

std::string load_page(const LoadReport& report, const std::vector<RequestRecord>& records, const std::string& title) {
  report::Page page(title);
  page.text(report_summary(report));
  page.table(rate_table(report));
  page.table(latency_table(report));
  page.plot(latency_plot(report));
  add_time_plots(page, records);
  return page.html();
}

}  // namespace caravel::cli
