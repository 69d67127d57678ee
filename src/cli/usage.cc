#include "cli/usage.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "base/numbers.h"

namespace caravel::cli {
namespace {

/// Flags that people bring from vLLM's command line.
constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
    {"gpu-memory-utilization", "use --kv-cache-memory, such as 2GiB; by default it is chosen from what is free"},
    {"kv-cache-memory-bytes", "use --kv-cache-memory"},
    {"cpu-offload-gb", "weights are read from the file's pages; --swap-space is the room for preempted requests"},
    {"tensor-parallel-size", "several devices are not there yet; --threads says how many processors to use"},
    {"pipeline-parallel-size", "several devices are not there yet; --threads says how many processors to use"},
    {"data-parallel-size", "several devices are not there yet; --threads says how many processors to use"},
    {"dtype", "weights keep the type of their file; --kv-cache-dtype is the cache's"},
    {"quantization", "weights keep the type of their file, such as a GGUF file of Q4_K_M"},
    {"model", "give the MODEL without a flag"},
    {"tokenizer", "the tokenizer is the model's own"},
    {"revision", "MODEL may be a folder of that revision"},
    {"download-dir", "nothing is downloaded; scripts/fetch_model fetches the models that it knows"},
    {"trust-remote-code", "no code of a model is run; leave it out"},
    {"enforce-eager", "there are no graphs to capture; leave it out"},
    {"enable-chunked-prefill", "prompts go in chunks always; leave it out"},
    {"enable-auto-tool-choice", "tools are offered always; leave it out"},
    {"reasoning-parser", "the chat template says how reasoning is told from the answer; leave it out"},
    {"enable-lora", "adapters are not there yet"},
    {"speculative-config", "drafts are not there yet"},
    {"max-logprobs", "128 are the most; leave it out"},
    {"disable-log-stats", "/metrics has the figures, nothing is logged of them; leave it out"},
    {"uvicorn-log-level", "use --log-level"},
    {"allow-credentials", "keys go in a header, not in cookies; leave it out"},
};

/// Insertions, deletions and replacements between two names.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// Empty: none is near enough to have been meant.
std::string nearest_flag(const CLI::App& command, const std::string& name) {
  std::string nearest;
  size_t least = std::min<size_t>(3, name.size() / 2) + 1;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& flag : option->get_lnames()) {
        if (const size_t apart = distance(flag, name); apart < least) {
          least = apart;
          nearest = flag;
        }
      }
    }
  }
  return nearest;
}

/// The command that was named, "bench serve" the whole of it.
const CLI::App& named_command(const CLI::App& program) {
  const CLI::App* command = &program;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string command_line(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : command_line(*parent) + " " + command.get_name();
}

std::string extra_problem(const CLI::App& command, const std::vector<std::string>& extras) {
  const auto flag = std::ranges::find_if(extras, [](const std::string& text) { return text.starts_with('-'); });
  std::string problem;
  if (flag != extras.end()) {
    problem = unknown_flag(command, flag->substr(0, flag->find('=')));
  } else if (!command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); }).empty()) {
    // (Those without a name are groups of options.)
    problem = fmt::format("no command is called '{}'", extras.front());
  } else {
    problem = fmt::format("'{}' has no meaning here: MODEL stands before it", extras.front());
  }
  return fmt::format("{}; {} --help lists what there is", problem, command_line(command));
}

/// CLI11 says "Could not convert: --threads = hot".
std::string conversion_problem(const CLI::App& command, const std::string& what) {
  constexpr std::string_view kBegin = "Could not convert: ";
  const size_t equals = what.find(" = ");
  if (!what.starts_with(kBegin) || equals == std::string::npos) return what;
  const std::string name = what.substr(kBegin.size(), equals - kBegin.size());
  const std::string value = what.substr(equals + 3);
  std::string type;
  for (const CLI::App* app = &command; app != nullptr && type.empty(); app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(name)) type = option->get_type_name();
  }
  std::string wanted = "a value of another form";
  if (type.starts_with("INT")) wanted = fmt::format("a whole number, at most {}", std::numeric_limits<int>::max());
  if (type.starts_with("UINT")) wanted = "a whole number, 0 or more";
  if (type.starts_with("FLOAT")) wanted = "a number";
  return fmt::format("{}: {}: give {}", name, value, wanted);
}

CLI::Validator checked(std::function<std::string(std::string&)> check, std::string name = "") {
  return {std::move(check), std::move(name)};
}

std::string give(std::string_view text, std::string_view wanted) {
  return fmt::format("{}: give {}", text.empty() ? "''" : text, wanted);
}

CLI::Validator number_where(bool (*holds)(double), const char* wanted, const char* name) {
  return checked(
      [holds, wanted](std::string& text) {
        const auto value = parse_number<double>(text);
        return value && holds(*value) ? std::string() : give(text, wanted);
      },
      name);
}

}  // namespace

std::string unknown_flag(const CLI::App& command, const std::string& given) {
  const size_t dashes = std::min(given.find_first_not_of('-'), given.size());
  std::string name = given.substr(dashes);
  std::ranges::replace(name, '_', '-');
  std::string problem = fmt::format("no flag is called '{}'", given);
  if (const auto* known =
          std::ranges::find(kElsewhere, name, [](const auto& entry) { return std::string(entry.first); });
      known != std::end(kElsewhere)) {
    return fmt::format("{}: {}", problem, known->second);
  }
  const std::string nearest = nearest_flag(command, name);
  if (!nearest.empty()) problem += fmt::format("; the nearest is '{}{}'", given.substr(0, dashes), nearest);
  return problem;
}

std::string usage_problem(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& command = named_command(program);
  const std::string what = error.what();
  // By its code: what get_name() gives is the command's name where a command was the one to complain.
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  // An unknown word is said first: what else is missing follows from it, as a command where its name is misspelt.
  if (const auto extras = program.remaining(/*recurse=*/true);
      !extras.empty() && (code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError)) {
    return extra_problem(command, extras);
  }
  if (code == CLI::ExitCodes::RequiredError) {
    return fmt::format("{}; see {} --help", what == "A subcommand is required" ? "a command is missing" : what,
                       command_line(command));
  }
  if (code == CLI::ExitCodes::ConversionError) return conversion_problem(command, what);
  if (code == CLI::ExitCodes::ExcludesError) {
    const size_t excludes = what.find(" excludes ");
    return fmt::format("{} and {} cannot be given together", what.substr(0, excludes), what.substr(excludes + 10));
  }
  return what;
}

CLI::Validator positive() {
  return number_where([](double value) { return value > 0; }, "a number above 0", "POSITIVE");
}

CLI::Validator not_negative() {
  return number_where([](double value) { return value >= 0 && std::isfinite(value); }, "0 or a number above it",
                      "NONNEGATIVE");
}

CLI::Validator whole_number(int64_t low, int64_t high) {
  return checked([low, high](std::string& text) {
    const auto value = parse_number<int64_t>(text);
    if (!value || *value < low || *value > high) return give(text, fmt::format("a whole number, {} to {}", low, high));
    text = std::to_string(*value);
    return std::string();
  });
}

CLI::Validator number_in(const NumberRange& range) {
  return checked([range](std::string& text) {
    const auto value = parse_number<double>(text);
    if (value && range.has(*value)) return std::string();
    constexpr NumberRange kAny;
    std::string wanted = "a number";
    if (range.low != kAny.low) wanted += fmt::format("{}{}", range.above ? ", more than " : ", at least ", range.low);
    if (range.high != kAny.high) wanted += fmt::format(", at most {}", range.high);
    return give(text, wanted);
  });
}

CLI::Validator seed_number() {
  return checked([](std::string& text) {
    const auto value = parse_number<uint64_t>(text);
    if (!value) {
      return give(text, fmt::format("a whole number, 0 to {}", std::numeric_limits<uint64_t>::max()));
    }
    text = std::to_string(*value);
    return std::string();
  });
}

CLI::Validator byte_size(uint64_t bare) {
  return checked(
      [bare](std::string& text) {
        const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const auto count = parse_number<uint64_t>(std::string_view(text).substr(0, digits));
        std::string unit = text.substr(std::min(text.find_first_not_of(' ', digits), text.size()));
        std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
        std::optional<uint64_t> scale;
        if (unit.empty()) scale = bare;
        if (unit == "b") scale = 1;
        constexpr std::string_view kUnits = "kmgtp";
        if (const size_t power = unit.empty() ? std::string_view::npos : kUnits.find(unit[0]);
            power != std::string_view::npos && (unit.size() == 1 || unit.substr(1) == "b" || unit.substr(1) == "ib")) {
          scale = uint64_t{1} << (10 * (power + 1));
        }
        constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
        if (!count || !scale || (*count != 0 && *scale > kMost / *count)) {
          return give(text, "a size, such as 512MiB or 2GiB");
        }
        text = std::to_string(*count * *scale);
        return std::string();
      },
      "SIZE");
}

CLI::Validator not_empty() {
  return checked([](std::string& text) { return text.empty() ? give(text, "a text, or leave the flag out") : ""; });
}

CLI::Validator one_of(const std::vector<std::string>& names) {
  return checked(
      [names](std::string& text) {
        std::string lower = text;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
        if (std::ranges::find(names, lower) == names.end()) {
          return give(text, fmt::format("one of {}", fmt::join(names, ", ")));
        }
        text = lower;
        return std::string();
      },
      fmt::format("{{{}}}", fmt::join(names, ",")));
}

}  // namespace caravel::cli
