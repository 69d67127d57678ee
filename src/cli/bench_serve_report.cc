#include "cli/bench_serve_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/error.h"
#include "base/numbers.h"
#include "base/percentile.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

constexpr double kMs = 1e3;

double latency_of(const RequestRecord& record, const std::string& name) {
  if (name == "ttft") return kMs * record.first_token_seconds();
  if (name == "tpot") return kMs * record.seconds_per_token();
  return kMs * (record.end - record.start);
}

/// How many ran at once at most.
size_t peak_of(const std::vector<RequestRecord>& records) {
  std::vector<std::pair<double, int>> changes;
  for (const RequestRecord& record : records) {
    if (!record.ended) continue;
    changes.emplace_back(record.start, 1);
    changes.emplace_back(record.end, -1);
  }
  std::ranges::sort(changes);  // an end before a start at the same moment
  int running = 0;
  int peak = 0;
  for (const auto& [time, change] : changes) peak = std::max(peak, running += change);
  return static_cast<size_t>(peak);
}

std::string slo_text(const std::vector<Slo>& slos) {
  std::string text;
  for (const Slo& slo : slos) text += fmt::format("{}{} {:g} ms", text.empty() ? "" : ", ", slo.name, slo.limit);
  return text;
}

}  // namespace

double Latencies::mean() const {
  if (sorted.empty()) return 0;
  return std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
}

Slo parse_slo(const std::string& text) {
  const size_t colon = text.find(':');
  Slo slo{.name = text.substr(0, colon)};
  const bool is_known = slo.name == "ttft" || slo.name == "tpot" || slo.name == "e2el";
  if (is_known && colon != text.npos) {
    slo.limit = parse_number<double>(std::string_view(text).substr(colon + 1)).value_or(0);
    if (slo.limit > 0) return slo;
  }
  throw fail<UsageError>("--slo {}: give ttft, tpot or e2el, and milliseconds, as in ttft:500", text);
}

LoadReport make_report(const std::vector<RequestRecord>& records, const std::vector<Slo>& slos) {
  LoadReport report;
  report.planned = records.size();
  report.slos = slos;
  report.latencies = {{"ttft", "time to first token", {}},
                      {"tpot", "time per token after", {}},
                      {"itl", "between tokens", {}},
                      {"e2el", "end to end", {}}};
  double first_start = HUGE_VAL;
  double last_end = 0;
  double first_failure = HUGE_VAL;
  for (const RequestRecord& record : records) {
    if (!record.ended) {
      ++report.interrupted;
      continue;
    }
    first_start = std::min(first_start, record.start);
    last_end = std::max(last_end, record.end);
    if (!record.error.empty()) {
      ++report.failed;
      if (record.end < first_failure) report.first_error = record.error;
      first_failure = std::min(first_failure, record.end);
      continue;
    }
    ++report.completed;
    report.input_tokens += record.input_tokens;
    report.output_tokens += record.output_tokens;
    report.latencies[0].sorted.push_back(latency_of(record, "ttft"));
    if (record.output_tokens > 1) report.latencies[1].sorted.push_back(latency_of(record, "tpot"));
    for (size_t i = 1; i < record.times.size(); ++i) {
      report.latencies[2].sorted.push_back(kMs * (record.times[i] - record.times[i - 1]));
    }
    report.latencies[3].sorted.push_back(latency_of(record, "e2el"));
    const bool is_good =
        std::ranges::all_of(slos, [&](const Slo& slo) { return latency_of(record, slo.name) <= slo.limit; });
    report.good += is_good ? 1 : 0;
  }
  for (Latencies& latencies : report.latencies) std::ranges::sort(latencies.sorted);
  report.seconds = std::max(0.0, last_end - first_start);
  report.peak_concurrency = peak_of(records);
  return report;
}

std::string report_summary(const LoadReport& report) {
  std::string text = fmt::format("{} requests in {:.2f} s, {} at once at most: {} complete, {} failed", report.planned,
                                 report.seconds, report.peak_concurrency, report.completed, report.failed);
  if (report.interrupted > 0) text += fmt::format(", {} interrupted", report.interrupted);
  if (report.failed > 0) text += "\n  first failure    " + report.first_error;
  return text;
}

std::string report_text(const LoadReport& report) {
  const auto count = [](auto number) { return static_cast<double>(number); };
  std::string text = report_summary(report);
  const auto line = [&text](const char* name, double rate, const std::string& unit) {
    fmt::format_to(std::back_inserter(text), "\n  {:<12} {:10.2f} {}", name, rate, unit);
  };
  line("requests", report.per_second(count(report.completed)), "/s");
  if (!report.slos.empty()) {
    line("goodput", report.per_second(count(report.good)),
         fmt::format("/s   {} of {} within {}", report.good, report.planned, slo_text(report.slos)));
  }
  line("input", report.per_second(count(report.input_tokens)),
       fmt::format("tokens/s   {} in all", report.input_tokens));
  line("output", report.per_second(count(report.output_tokens)),
       fmt::format("tokens/s   {} in all", report.output_tokens));
  line("all", report.per_second(count(report.input_tokens + report.output_tokens)), "tokens/s");
  fmt::format_to(std::back_inserter(text), "\n  {:<22} {:>10} {:>10} {:>10} {:>10}", "latency, ms", "mean", "p50",
                 "p90", "p99");
  for (const Latencies& latencies : report.latencies) {
    fmt::format_to(std::back_inserter(text), "\n  {:<22} {:10.2f} {:10.2f} {:10.2f} {:10.2f}", latencies.title,
                   latencies.mean(), percentile(latencies.sorted, 0.5), percentile(latencies.sorted, 0.9),
                   percentile(latencies.sorted, 0.99));
  }
  return text + "\n";
}

nlohmann::ordered_json report_json(const LoadReport& report) {
  const auto rate = [&report](auto number) { return report.per_second(static_cast<double>(number)); };
  nlohmann::ordered_json json = {{"requests", report.planned},
                                 {"completed", report.completed},
                                 {"failed", report.failed},
                                 {"interrupted", report.interrupted},
                                 {"first_error", report.first_error},
                                 {"seconds", report.seconds},
                                 {"peak_concurrency", report.peak_concurrency},
                                 {"input_tokens", report.input_tokens},
                                 {"output_tokens", report.output_tokens},
                                 {"requests_per_second", rate(report.completed)},
                                 {"input_tokens_per_second", rate(report.input_tokens)},
                                 {"output_tokens_per_second", rate(report.output_tokens)},
                                 {"total_tokens_per_second", rate(report.input_tokens + report.output_tokens)}};
  if (!report.slos.empty()) {
    json["goodput_requests_per_second"] = rate(report.good);
    json["good"] = report.good;
    for (const Slo& slo : report.slos) json["slo_ms"][slo.name] = slo.limit;
  }
  for (const Latencies& latencies : report.latencies) {
    json[latencies.name + "_ms"] = {{"mean", latencies.mean()},
                                    {"p50", percentile(latencies.sorted, 0.5)},
                                    {"p90", percentile(latencies.sorted, 0.9)},
                                    {"p99", percentile(latencies.sorted, 0.99)}};
  }
  return json;
}

}  // namespace caravel::cli
