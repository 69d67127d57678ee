#include "voyager/report_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace caravel::voyager {

std::string with_commas(int64_t number) {
  std::string text = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string seconds_text(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", 1000 * seconds);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 99.5) return fmt::format("{:.0f} s", seconds);
  return seconds < 5970 ? fmt::format("{:.1f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

std::string cost_text(double cost) {
  if (cost == 0) return "–";
  return cost >= 10 ? fmt::format("{:.2f}", cost) : fmt::format("{:.4f}", cost);
}

std::string yes_or_no(std::optional<bool> is) { return !is ? "–" : *is ? "yes" : "no"; }

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string counted(int64_t number, std::string_view one) {
  return fmt::format("{} {}{}", with_commas(number), one, number == 1 ? "" : "s");
}

std::string retries_text(int64_t retries) {
  return fmt::format("{} {}", with_commas(retries), retries == 1 ? "retry" : "retries");
}

std::string ending_text(const RunSummary& run) { return run.ending.empty() ? "not ended" : run.ending; }

std::string result_text(const TaskOutcome& task) {
  return task.row.success ? "done" : task.is_open() ? "not ended" : "failed";
}

std::string accuracy_text(const CriticCounts& critic) {
  if (critic.compared() == 0) return "–";
  return fmt::format("{:.0f} %", 100.0 * static_cast<double>(critic.right()) / static_cast<double>(critic.compared()));
}

std::string tokens_text(int64_t tokens, bool counted) { return (counted ? "" : "about ") + with_commas(tokens); }

}  // namespace caravel::voyager
