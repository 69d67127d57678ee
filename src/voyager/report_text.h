#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "voyager/run_summary.h"

// How reports say things.
namespace caravel::voyager {

std::string with_commas(int64_t number);        // 1,234,567
std::string seconds_text(double seconds);       // 400 ms, 1.5 s, 12 s, 3.5 min, 1.2 h
std::string cost_text(double cost);             // 0.0021; "–" of 0, where no price was given
std::string yes_or_no(std::optional<bool> is);  // "–" of nothing
std::string joined(const std::vector<std::string>& names);
/// "1 round", "2 rounds".
std::string counted(int64_t number, std::string_view one);
std::string retries_text(int64_t retries);  // 1 retry, 2 retries

/// "all 40 tasks were tried", or "not ended".
std::string ending_text(const RunSummary& run);
/// "done", "failed" or "not ended".
std::string result_text(const TaskOutcome& task);
/// "91 %"; "–" where nothing was compared.
std::string accuracy_text(const CriticCounts& critic);
/// "1,204"; "about 1,204" of an estimate.
std::string tokens_text(int64_t tokens, bool counted);

}  // namespace caravel::voyager
