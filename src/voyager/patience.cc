#include "voyager/patience.h"

#include <algorithm>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/numbers.h"
#include "voyager/model.h"

namespace caravel::voyager {

using std::chrono::milliseconds;

milliseconds Patience::after(int attempts_made) const {
  milliseconds time = first;
  for (int i = 1; i < attempts_made && time < most; ++i) time *= 2;
  return std::min(time, most);
}

std::optional<milliseconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now) {
  constexpr double kLongest = 1e9;  // seconds: some thirty years
  if (const auto seconds = parse_number<double>(value); seconds && *seconds >= 0) {
    return milliseconds(static_cast<int64_t>(std::min(*seconds, kLongest) * 1000));
  }
  std::tm date = {};
  std::istringstream text{std::string(value)};
  text.imbue(std::locale::classic());
  text >> std::get_time(&date, "%a, %d %b %Y %H:%M:%S GMT");
  if (text.fail()) return std::nullopt;
  const auto time = std::chrono::system_clock::from_time_t(::timegm(&date));
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(time - now));
}

void sleep_for(milliseconds time) {
  constexpr milliseconds kLook{20};
  const Clock::time_point until = Clock::now() + time;
  for (;;) {
    check_interrupt_now();
    const Clock::time_point now = Clock::now();
    if (now >= until) return;
    std::this_thread::sleep_for(std::min<Clock::duration>(until - now, kLook));
  }
}

void persist(const Patience& patience, std::string_view whom, const std::function<std::optional<Refusal>()>& attempt,
             std::vector<std::string>& retries, const std::function<void(const std::string&)>& on_wait) {
  for (int made = 1;; ++made) {
    const std::optional<Refusal> refusal = attempt();
    if (!refusal) return;
    if (refusal->is_final || made >= patience.attempts) {
      throw fail<ModelError>("{}: {}: {}", whom, made == 1 ? "tried once" : fmt::format("tried {} times", made),
                             refusal->what);
    }
    retries.push_back(refusal->what);
    const milliseconds time = refusal->wait ? std::min(*refusal->wait, patience.asked) : patience.after(made);
    if (on_wait)
      on_wait(fmt::format("{}; tried again in {:.1f} s", refusal->what, static_cast<double>(time.count()) / 1e3));
    sleep_for(time);
  }
}

}  // namespace caravel::voyager
