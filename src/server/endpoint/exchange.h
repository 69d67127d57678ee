#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "caravel/result.h"
#include "http/http.h"

namespace caravel::server {

/// One request and what became of it: for the log and the metrics. One thread at a time.
struct Exchange {
  std::string id;
  std::string peer;
  std::string method;
  std::string path;
  std::string endpoint;   // its route's path; "other" where it has none
  std::string body;       // where prompts are logged
  http::Headers headers;  // that its answer has beside its own
  Clock::time_point start = Clock::now();

  int status = 0;                                    // 0: none was sent yet
  bool complete = false;                             // the answer's end was written
  Usage usage;                                       // what all that it generated has taken
  FinishReason finish_reason = FinishReason::kNone;  // how the last answer ended

  /// What became of it, as a status: 499, as nginx has it, where the client went away.
  int outcome() const { return complete ? status : 499; }
};

/// `work`, noting its status and its end in `exchange` and adding the exchange's headers to its answer. on_end is
/// called when the work is gone.
std::unique_ptr<http::Work> watch(std::shared_ptr<Exchange> exchange, std::unique_ptr<http::Work> work,
                                  std::function<void(const Exchange&)> on_end);

}  // namespace caravel::server
