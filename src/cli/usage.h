#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fields/request_field.h"

namespace caravel::cli {

// What the program ends with; interrupt.h has a third, 130.
inline constexpr int kFailedExitCode = 1;  // a file, the model or a request: what was begun failed
inline constexpr int kUsageExitCode = 2;   // the command line, or the file that --config names: nothing was begun

/// The command line, or the file that --config names, says something that cannot be meant.
class UsageError : public InvalidArgument {
 public:
  using InvalidArgument::InvalidArgument;
};

/// What the parser found wrong, in one line that names the flag and what it takes.
std::string usage_problem(const CLI::App& program, const CLI::ParseError& error);

/// "no flag is called '--max-num-seq'; the nearest is '--max-num-seqs'": the name with or without dashes, as it was
/// written. Flags of other engines get a hint of what to use here; no name is called near that is not.
std::string unknown_flag(const CLI::App& command, const std::string& name);

// Checks of one value that say what is wanted. CLI11's own take 010 for 8 and -1 for the largest unsigned number, and
// print ranges that end at 1.8e308 with all its digits.

CLI::Validator positive();
CLI::Validator not_negative();
CLI::Validator whole_number(int64_t low, int64_t high);
CLI::Validator number_in(const NumberRange& range);
/// 64 bits without a sign.
CLI::Validator seed_number();
/// "512MiB", "2g": becomes the number of bytes; without a unit it counts in `bare`.
CLI::Validator byte_size(uint64_t bare = 1);
CLI::Validator not_empty();
/// One of these, in lower case or upper.
CLI::Validator one_of(const std::vector<std::string>& names);

}  // namespace caravel::cli
