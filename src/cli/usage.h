#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fields/request_field.h"

namespace caravel::cli {

// What the program ends with; batch_summary.h has 3, and interrupt.h 130.
inline constexpr int kFailedExitCode = 1;  // a file, the model or a request: what was begun failed
inline constexpr int kUsageExitCode = 2;   // the command line, or the file that --config names: nothing was begun

/// The command line, or the file that --config names, says something that cannot be meant.
class UsageError : public InvalidArgument {
 public:
  using InvalidArgument::InvalidArgument;
};

/// The command that the command line named, "bench serve" the whole of it; the program itself where it named none.
CLI::App& named_command(CLI::App& program);

/// What the parser found wrong, in one line that names the flag and what it takes. arguments: the command line's, where
/// the error is of them.
std::string usage_problem(CLI::App& program, const CLI::ParseError& error,
                          const std::vector<std::string>& arguments = {});

/// "no flag is called '--max-num-seq'; the nearest is '--max-num-seqs'": the name with or without dashes, as it was
/// written. Flags of other engines get a hint of what to use here, those of other commands are told as theirs; no name
/// is called near that is not.
std::string unknown_flag(const CLI::App& command, const std::string& name);

/// What other engines spell with one dash and several letters, such as -ngl: the parser takes it for -n with the value
/// "gl", and -hf for a call for help. Empty: there is none.
std::string foreign_short_flag(const std::vector<std::string>& arguments);

/// The message of an error that begins with the engine's name of a flag that was given ("max_model_len is 9"), with the
/// flag's own name; nothing where it begins otherwise.
std::optional<std::string> flag_problem(CLI::App& program, std::string_view message);

/// How this command is given a text: people write it in the place of MODEL. Empty: it takes none.
std::string text_hint(const CLI::App& command);

/// What more to say of an error about the MODEL that was given, which begins with "no model": the variable that it came
/// from, or how a text is given. Empty: nothing.
std::string model_hint(CLI::App& program, std::string_view message);

/// The command line with `--system=` as `--system ''`: the parser would take what stands behind for the value.
std::vector<std::string> with_empty_values(const CLI::App& program, const std::vector<std::string>& arguments);

/// Throws UsageError where a flag stands in the place of another's value: `--api-key --port 80`, which the parser takes
/// for the key "--port".
void refuse_flags_as_values(CLI::App& program, const std::vector<std::string>& arguments);

// Checks of one value that say what is wanted. CLI11's own take 010 for 8 and -1 for the largest unsigned number, and
// print ranges that end at 1.8e308 with all its digits.

CLI::Validator positive();
CLI::Validator not_negative();
/// A number of seconds that a deadline can be made of: a thousandth to a thousand million.
CLI::Validator timeout_seconds();
CLI::Validator whole_number(int64_t low, int64_t high);
CLI::Validator number_in(const NumberRange& range);
/// 64 bits without a sign. hint: what is said behind that; a literal.
CLI::Validator seed_number(std::string_view hint = "");
/// "512MiB", "2g": becomes the number of bytes; without a unit it counts in `bare`, and must be 0 or `least_bare`
/// bytes.
CLI::Validator byte_size(uint64_t bare = 1, uint64_t least_bare = 0);
CLI::Validator not_empty();
/// One of these, in lower case or upper.
CLI::Validator one_of(const std::vector<std::string>& names);

}  // namespace caravel::cli
