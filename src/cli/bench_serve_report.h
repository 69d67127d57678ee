#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/bench_serve_load.h"

namespace caravel::cli {

/// Samples of one kind of latency, in ms.
struct Latencies {
  std::string name;            // ttft, tpot, itl, e2el
  std::string title;           // for people
  std::vector<double> sorted;  // ascending
  double mean() const;
};

/// A bound on a latency that a good request keeps.
struct Slo {
  std::string name;  // ttft, tpot, e2el
  double limit = 0;  // ms
};
/// "ttft:500". Throws InvalidArgument.
Slo parse_slo(const std::string& text);

/// What the records of one load come to. Rates are per second between the first request's start and the last one's end.
struct LoadReport {
  size_t planned = 0;
  size_t completed = 0;
  size_t failed = 0;
  size_t interrupted = 0;  // sent and not ended, or not sent
  std::string first_error;
  double seconds = 0;
  int64_t input_tokens = 0;  // completed requests' alone
  int64_t output_tokens = 0;
  size_t peak_concurrency = 0;
  std::vector<Latencies> latencies;
  std::vector<Slo> slos;
  size_t good = 0;  // completed, and kept every bound

  double per_second(double count) const { return seconds > 0 ? count / seconds : 0; }
};

LoadReport make_report(const std::vector<RequestRecord>& records, const std::vector<Slo>& slos);

/// How many requests, how long, and what the first failure was.
std::string report_summary(const LoadReport& report);
/// The summary, rates and latencies for a terminal.
std::string report_text(const LoadReport& report);
nlohmann::ordered_json report_json(const LoadReport& report);

}  // namespace caravel::cli
