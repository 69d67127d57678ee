#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::voyager {

/// How often, and when, what failed is tried again.
struct Patience {
  int attempts = 6;                          // the first among them
  std::chrono::milliseconds first{1000};     // before the second; twice as long before each that follows
  std::chrono::milliseconds most{30'000};    // and no longer than that
  std::chrono::milliseconds asked{120'000};  // what a Retry-After may ask for; no more of it is obeyed

  /// Before the attempt after so many.
  std::chrono::milliseconds after(int attempts_made) const;
};

/// Why an attempt failed.
struct Refusal {
  std::string what;                                    // as it was told, in one line
  bool is_final = false;                               // another attempt would be told the same
  std::optional<std::chrono::milliseconds> wait = {};  // that was asked for
};

/// What the header Retry-After asks for, seconds or a date (RFC 9110, section 10.2.3); nothing: it is neither. A time
/// that has passed is 0.
std::optional<std::chrono::milliseconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now);

/// Sleeps. Throws Interrupted as soon as base/interrupt.h says so.
void sleep_for(std::chrono::milliseconds time);

/// Makes attempts until one gives nothing. Notes why others failed in `retries`, and says so to on_wait before it
/// waits. Throws ModelError: "WHOM: tried 6 times: ...", with what the last was told; Interrupted.
void persist(const Patience& patience, std::string_view whom, const std::function<std::optional<Refusal>()>& attempt,
             std::vector<std::string>& retries, const std::function<void(const std::string&)>& on_wait);

}  // namespace caravel::voyager
