#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/bench_serve_workload.h"
#include "fields/json.h"
#include "http/client.h"

namespace caravel::cli {

/// The server that the load goes to, and what each request says beside its prompt and length.
struct LoadTarget {
  http::Url url;
  bool chat = false;  // /v1/chat/completions, not /v1/completions
  std::string model;
  std::string api_key;
  bool ignore_eos = false;
  Json extra_body = Json::object();  // fields that go into every body
  std::chrono::milliseconds timeout{600'000};
};

/// One request as its client saw it. Times in seconds since the load began.
struct RequestRecord {
  RequestLengths planned;
  bool sent = false;
  bool ended = false;  // false: it ran when the load was interrupted
  std::string error;   // why one that ended failed; empty: complete
  double start = 0;
  double end = 0;
  std::vector<double> times;  // when each piece of text came, in order: the first token's, ...
  int64_t input_tokens = 0;   // as the server counts them, else as planned
  int64_t output_tokens = 0;  // as the server counts them, else pieces

  double first_token_seconds() const { return times.empty() ? end - start : times.front() - start; }
  /// Between tokens after the first; 0 where there is one alone.
  double seconds_per_token() const {
    return output_tokens > 1 ? (end - start - first_token_seconds()) / static_cast<double>(output_tokens - 1) : 0;
  }
};

/// Sends `planned[i]` at `arrivals[i]` seconds, but never more than max_concurrency at once (0: as many as it takes),
/// and returns when all have ended or Ctrl-C was pressed. The calling thread waits; answers are timed as they come, and
/// parsed afterwards, so that the load takes little from a server on the same machine.
std::vector<RequestRecord> run_load(const LoadTarget& target, const std::vector<PlannedRequest>& planned,
                                    const std::vector<double>& arrivals, int max_concurrency);

/// One request before the load. Throws Error: what the server, or the lack of one, answered.
RequestRecord try_once(const LoadTarget& target, const PlannedRequest& planned);

/// The first model of /v1/models. Throws Error.
std::string served_model(const LoadTarget& target);

/// Reads a streamed answer: pieces of its body and when each came. Fills times, tokens and error of `record`.
struct ReceivedPiece {
  size_t end = 0;  // in the body
  double time = 0;
};
void read_answer(int status, const std::string& body, const std::vector<ReceivedPiece>& pieces, RequestRecord& record);

}  // namespace caravel::cli
