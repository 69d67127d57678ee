#include "cli/usage.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "base/byte_size.h"
#include "base/file.h"
#include "base/near_miss.h"
#include "base/numbers.h"
#include "cli/flag_table.h"
#include "cli/hints.h"
#include "format/model_path.h"

namespace caravel::cli {
namespace {

/// Each command of `command`, and itself.
void add_all(const CLI::App& command, std::vector<const CLI::App*>& commands) {
  commands.push_back(&command);
  for (const CLI::App* each : commands_of(command)) add_all(*each, commands);
}

const CLI::App& program_of(const CLI::App& command) {
  return command.get_parent() == nullptr ? command : program_of(*command.get_parent());
}

/// The command itself or one above it takes the flag, "--prompt" or "-p".
const CLI::Option* find_flag(const CLI::App& command, const std::string& flag) {
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : options_of(*app)) {
      if (option->check_name(flag) && option->nonpositional()) return option;
    }
  }
  return nullptr;
}

/// "caravel generate, caravel chat", and no more than three of them; empty: none takes it.
std::string commands_with(const CLI::App& program, const std::string& flag) {
  std::vector<const CLI::App*> commands;
  add_all(program, commands);
  std::vector<std::string> names;
  for (const CLI::App* each : commands) {
    const std::vector<const CLI::Option*> options = options_of(*each);
    const auto has_flag = [&flag](const CLI::Option* option) { return option->check_name(flag); };
    if (std::ranges::any_of(options, has_flag)) names.push_back(command_line(*each));
  }
  constexpr size_t kMost = 3;
  const bool are_many = names.size() > kMost;
  if (are_many) names.resize(kMost);
  return fmt::format("{}{}", fmt::join(names, ", "), are_many ? " and others" : "");
}

/// Without dashes. Empty: none is near enough to have been meant.
std::string nearest_flag(const CLI::App& command, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : options_of(*app)) {
      names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    }
  }
  return near_miss(name, names);
}

std::string hint_text(const CLI::App& command, const Hint& hint) {
  const std::string use(hint.use);
  if (use.empty()) return std::string(hint.note);
  if (find_flag(command, use) != nullptr) return fmt::format("use {}{}", use, hint.note);
  return fmt::format("it is {} of {}", use, commands_with(program_of(command), use));
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* each : commands_of(command)) names.push_back(each->get_name());
  return names;
}

std::string missing_command(const CLI::App& command) {
  return fmt::format("a command is missing: {}", fmt::join(command_names(command), ", "));
}

/// The name of a file of one, or of one that is there.
bool is_model(const std::filesystem::path& text) {
  const std::vector<std::string> names = format::model_names();
  return text.extension() == ".gguf" || is_there(text / "config.json") ||
         std::ranges::find(names, text.string()) != names.end();
}

std::string unknown_command(const CLI::App& command, const std::string& name) {
  const std::string problem = fmt::format("no command is called '{}'", name);
  if (const std::string_view hint = command_hint(name); !hint.empty()) return fmt::format("{}: {}", problem, hint);
  if (command.get_parent() == nullptr && is_model(name)) {
    return fmt::format("{}: caravel chat {} talks with the model, caravel serve {} serves it", problem, name, name);
  }
  const std::string nearest = near_miss(name, command_names(command));
  return nearest.empty() ? problem : fmt::format("{}; the nearest is '{}'", problem, nearest);
}

std::string stray_word(const CLI::App& command, const std::string& word) {
  if (find_flag(command, "--model") == nullptr) return fmt::format("'{}' has no meaning here", word);
  const std::string hint = text_hint(command);
  return fmt::format("'{}' has no meaning here: MODEL stands before it{}{}", word, hint.empty() ? "" : ", and ", hint);
}

std::string extra_problem(const CLI::App& command, const std::vector<std::string>& extras) {
  const auto flag = std::ranges::find_if(extras, [](const std::string& text) { return text.starts_with('-'); });
  const bool lacks_command = !commands_of(command).empty();
  std::string problem;
  if (lacks_command && flag != extras.begin()) {
    problem = unknown_command(command, extras.front());
  } else if (flag != extras.end()) {
    if (lacks_command) problem = "a command comes first, such as caravel generate or caravel serve; ";
    problem += unknown_flag(command, flag->substr(0, flag->find('=')));
  } else {
    problem = stray_word(command, extras.front());
  }
  return fmt::format("{}; {} {} lists what there is", problem, command_line(command),
                     lacks_command ? "--help" : "--help-all");
}

/// Whose word an unknown one is: of "prospect selct run", where run is a folder, not run's.
const CLI::App& command_of(const std::string& word, const CLI::App& named, const std::vector<std::string>& arguments) {
  const auto place = [&arguments](const std::string& each) { return std::ranges::find(arguments, each); };
  const CLI::App* command = &named;
  while (command->get_parent() != nullptr && !word.starts_with('-') && place(word) < place(command->get_name())) {
    command = command->get_parent();
  }
  return *command;
}

/// CLI11 says "Could not convert: --threads = hot".
std::string conversion_problem(const CLI::App& command, const std::string& what) {
  constexpr std::string_view kBegin = "Could not convert: ";
  const size_t equals = what.find(" = ");
  if (!what.starts_with(kBegin) || equals == std::string::npos) return what;
  const std::string name = what.substr(kBegin.size(), equals - kBegin.size());
  const std::string value = what.substr(equals + 3);
  const CLI::Option* const option = find_flag(command, name);
  const std::string type = option == nullptr ? "" : option->get_type_name();
  std::string wanted = "a value of another form";
  if (option != nullptr && option->get_items_expected_max() == 0) wanted = "true or false";
  if (type.starts_with("INT")) wanted = fmt::format("a whole number, at most {}", std::numeric_limits<int>::max());
  if (type.starts_with("UINT")) wanted = "a whole number, 0 or more";
  if (type.starts_with("FLOAT")) wanted = "a number";
  return fmt::format("{}: {}: give {}", name, value, wanted);
}

/// CLI11 says "--file is required"; a text in the place of MODEL was meant to be it.
std::string requirement_problem(const CLI::App& command, const std::string& what) {
  const CLI::Option* const model = find_flag(command, "--model");
  if (!what.ends_with(" is required") || model == nullptr || model->count() == 0) return what;
  const std::string given = model->results().front();
  std::error_code error;
  const bool is_text =
      std::filesystem::is_regular_file(given, error) && std::filesystem::path(given).extension() != ".gguf";
  const std::string name = what.substr(0, what.find(' '));
  return is_text ? fmt::format("{}, and '{}' stands in the place of MODEL: write {} {}", what, given, name, given)
                 : what;
}

/// CLI11 says "--port: 1 required UINT missing", "--port: At Most 1 required but received 2".
std::string mismatch_problem(const CLI::App& command, const std::string& name, const std::string& what) {
  const CLI::Option* const option = find_flag(command, name);
  if (option == nullptr) return what;
  if (what.find("At Most") != what.npos) {
    const bool takes_value = option->get_items_expected_max() > 0;
    return name + (takes_value ? " takes one value, and several are given" : " is given twice, or beside its opposite");
  }
  return fmt::format("{} needs a value: {}", name, value_name(*option));
}

/// The flag of what the engine calls so: "-n" of n, "--beams" of beam_width, "--json-schema" of "JSON schema".
std::string flag_of(std::string_view engines_name) {
  if (const RequestField* const named = find_field(engines_name, Surface::kRows);
      named != nullptr && !std::holds_alternative<std::monostate>(named->member)) {
    for (const RequestField& field : request_fields()) {
      if (!field.surfaces.has(Surface::kFlags) || field.member != named->member) continue;
      const std::string names = field.flag_names();
      return names.substr(names.rfind(',') + 1);
    }
  }
  std::string name = "--" + std::string(engines_name);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return c == '_' || c == ' ' ? '-' : std::tolower(c); });
  return name;
}

/// What the engine calls max_num_seqs is --max-num-seqs to whom gave a flag.
std::string with_flags(const CLI::App& command, std::string_view message) {
  std::string text;
  while (!message.empty()) {
    const auto is_of_name = [](unsigned char c) { return c == '_' || std::isalnum(c) != 0; };
    const auto end = static_cast<size_t>(std::ranges::find_if_not(message, is_of_name) - message.begin());
    const std::string_view word = message.substr(0, end);
    const std::string flag = word.find('_') == word.npos ? "" : flag_of(word);
    text += flag.empty() || find_flag(command, flag) == nullptr ? std::string(word) : flag;
    if (end < message.size()) text += message[end];
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return text;
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

CLI::App& named_command(CLI::App& program) {
  CLI::App* command = &program;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string unknown_flag(const CLI::App& command, const std::string& given) {
  // The parser had no use for it, though the command has: it came too early.
  if (find_flag(command, given) != nullptr) {
    return fmt::format("'{}' stands before the command: write it behind '{}'", given, command_line(command));
  }
  const size_t dashes = std::min(given.find_first_not_of('-'), given.size());
  std::string name = given.substr(dashes);
  std::ranges::replace(name, '_', '-');
  const std::string problem = fmt::format("no flag is called '{}'", given);
  if (const Hint* hint = flag_hint(name)) return fmt::format("{}: {}", problem, hint_text(command, *hint));
  const std::string nearest = nearest_flag(command, name);
  const std::string others = commands_with(program_of(command), (dashes == 1 ? "-" : "--") + name);
  if (nearest != name && !others.empty()) {
    return fmt::format("'{}' is a flag of {}, not of {}", given, others, command_line(command));
  }
  return nearest.empty() ? problem
                         : fmt::format("{}; the nearest is '{}{}'", problem, dashes == 0 ? "" : "--", nearest);
}

std::string text_hint(const CLI::App& command) {
  const auto is_given = [&](const char* name) {
    const CLI::Option* const flag = find_flag(command, name);
    return flag != nullptr && flag->count() > 0;
  };
  if (is_given("--prompt") || is_given("--prompt-file") || is_given("--input") || is_given("--file")) return "";
  if (find_flag(command, "--prompt") != nullptr) return "a text to continue is given as --prompt \"TEXT\"";
  if (find_flag(command, "--input") != nullptr) return "what to work on is a file, --input FILE, or standard input";
  if (find_flag(command, "--file") != nullptr) return "the text is a file, --file FILE";
  if (command.get_name() == "tokenize") return "the text comes on standard input";
  if (command.get_name() != "chat") return "";
  return "a message is typed once the chat has begun; caravel generate --chat --prompt \"TEXT\" answers one";
}

std::string model_hint(CLI::App& program, std::string_view message) {
  const CLI::App& command = named_command(program);
  const CLI::Option* const model = find_flag(command, "--model");
  if (!message.starts_with("no model ") || model == nullptr || model->count() == 0) return "";
  const char* const variable = std::getenv("CARAVEL_MODEL");
  if (variable != nullptr && model->results().front() == variable) return " (CARAVEL_MODEL of the environment says it)";
  const bool is_word = model->results().front().find_first_of("/.") == std::string::npos;
  const std::string hint = is_word && command.get_name() != "chat" ? text_hint(command) : "";
  return hint.empty() ? "" : "; " + hint;
}

std::string foreign_short_flag(const std::vector<std::string>& arguments) {
  for (const std::string& each : arguments) {
    if (each == "--") break;
    if (each.size() > 2 && each[0] == '-' && each[1] != '-' && flag_hint(each.substr(1)) != nullptr) return each;
  }
  return "";
}

std::vector<std::string> with_empty_values(const CLI::App& program, const std::vector<std::string>& arguments) {
  const CLI::App* command = &program;
  std::vector<std::string> rewritten;
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string text = arguments[i];
    const bool is_empty = text.starts_with("--") && text.ends_with('=');
    if (is_empty) text.pop_back();
    const CLI::Option* const option = text.starts_with("-") ? find_flag(*command, text) : nullptr;
    if (option != nullptr && option->get_items_expected_max() > 0 && (is_empty || i + 1 < arguments.size())) {
      rewritten.push_back(text);
      rewritten.push_back(is_empty ? "" : arguments[++i]);
      continue;
    }
    rewritten.push_back(arguments[i]);
    const auto is_named = [&](const CLI::App* inner) { return !text.empty() && inner->get_name() == text; };
    const std::vector<const CLI::App*> named = command->get_subcommands(is_named);
    if (!named.empty()) command = named.front();
  }
  const auto rest = std::ranges::find(arguments, "--");
  rewritten.insert(rewritten.end(), rest, arguments.end());
  return rewritten;
}

void refuse_flags_as_values(CLI::App& program, const std::vector<std::string>& arguments) {
  const CLI::App& command = named_command(program);
  for (size_t i = 0; i + 1 < arguments.size() && arguments[i] != "--"; ++i) {
    const CLI::Option* const option = arguments[i].starts_with("-") ? find_flag(command, arguments[i]) : nullptr;
    if (option == nullptr || option->get_items_expected_max() == 0) continue;
    const std::string& value = arguments[++i];
    if (value.starts_with("--") && find_flag(command, value) != nullptr) {
      throw fail<UsageError>("{} needs a value, and {} is a flag; write {}={} where it is the value", arguments[i - 1],
                             value, arguments[i - 1], value);
    }
  }
}

std::optional<std::string> flag_problem(CLI::App& program, std::string_view message) {
  // "max_model_len is 9", "regex: ...", "JSON schema: ...", "chat template, line 1: ...": two words before one, as
  // --chat is a flag too.
  const CLI::App& command = named_command(program);
  constexpr std::string_view kEnds = " ,:";
  const size_t word = message.find_first_of(kEnds);
  if (word == message.npos) return std::nullopt;
  for (const size_t end : {message.find_first_of(kEnds, word + 1), word}) {
    const std::string name = end == message.npos ? "" : flag_of(message.substr(0, end));
    const CLI::Option* const option = name.empty() ? nullptr : find_flag(command, name);
    if (option == nullptr) continue;
    if (option->count() == 0) return std::nullopt;
    return name + with_flags(command, message.substr(end));
  }
  return std::nullopt;
}

std::string usage_problem(CLI::App& program, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  const CLI::App& command = named_command(program);
  const std::string what = error.what();
  if (const std::string flag = foreign_short_flag(arguments); !flag.empty()) return unknown_flag(command, flag);
  // By its code: what get_name() gives is the command's name where a command was the one to complain.
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  // An unknown word is said first: what else is missing follows from it, as a command where its name is misspelt.
  // So it is where a check failed: the value of an unknown flag was taken for the MODEL.
  const auto extras = program.remaining(/*recurse=*/true);
  const bool has_flag = std::ranges::any_of(extras, [](const std::string& extra) { return extra.starts_with('-'); });
  if (code == CLI::ExitCodes::ValidationError
          ? has_flag
          : !extras.empty() && (code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError ||
                                code == CLI::ExitCodes::Success)) {
    return extra_problem(command_of(extras.front(), command, arguments), extras);
  }
  const std::string name = what.substr(0, std::min(what.find(':'), what.find(' ')));
  switch (code) {
    case CLI::ExitCodes::RequiredError:
      if (const size_t names = what.find('['); names != what.npos) {
        return fmt::format("only one of {} can be given", what.substr(names + 1, what.find(']') - names - 1));
      }
      return fmt::format(
          "{}; see {} --help",
          what == "A subcommand is required" ? missing_command(command) : requirement_problem(command, what),
          command_line(command));
    case CLI::ExitCodes::ArgumentMismatch:
      return mismatch_problem(command, name, what);
    case CLI::ExitCodes::ConversionError:
      return conversion_problem(command, what);
    case CLI::ExitCodes::ExcludesError:
      return fmt::format("{} and {} cannot be given together", name, what.substr(what.rfind(' ') + 1));
    default:
      if (what.starts_with("-n: ")) return what + "; it counts answers, and --max-tokens bounds each";
      // It has a name of its own where it stands without one.
      constexpr std::string_view kModel = "--model: ";
      return what.starts_with(kModel) ? "MODEL: " + what.substr(kModel.size()) : what;
  }
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

CLI::Validator timeout_seconds() { return number_in({.low = 1e-3, .high = 1e9}); }

CLI::Validator seed_number(std::string_view hint) {
  return checked([hint](std::string& text) {
    const auto value = parse_number<uint64_t>(text);
    if (!value) {
      return give(text, fmt::format("a whole number, 0 to {}{}", std::numeric_limits<uint64_t>::max(), hint));
    }
    text = std::to_string(*value);
    return std::string();
  });
}

CLI::Validator byte_size(uint64_t bare, uint64_t least_bare) {
  return checked(
      [bare, least_bare](std::string& text) {
        const auto bytes = parse_byte_size(text, static_cast<int64_t>(bare));
        if (!bytes) return give(text, "a size, such as 512MiB or 2GiB");
        const bool is_bare = text.find_first_not_of("0123456789") == std::string::npos;
        if (is_bare && *bytes != 0 && static_cast<uint64_t>(*bytes) < least_bare) {
          return give(text, fmt::format("a unit, as in {}GiB or {}MiB: a bare number counts bytes", text, text));
        }
        text = std::to_string(*bytes);
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
