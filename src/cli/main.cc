#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/flag_table.h"
#include "cli/help_text.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "cli/voyage/default_command.h"
#include "device/cpu/isa.h"
#include "sandbox/own_child.h"

namespace {

std::string version_text() {
  return fmt::format("caravel {}\nCPU instruction set: {}", CARAVEL_VERSION,
                     caravel::isa_name(caravel::available_isas().back()));
}

/// Of the command line, without the program's name; "help serve" is "serve --help".
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
}

/// "gen --help": the parser has found no command, and would describe the whole program.
bool is_help_of_nothing(CLI::App& program, const std::vector<std::string>& arguments) {
  return &caravel::cli::named_command(program) == &program && !arguments.empty() && !arguments.front().starts_with('-');
}

void tell(std::string_view error) { caravel::log::tell(spdlog::level::err, error); }

/// And not of a file or the machine.
bool is_of_what_was_asked(const caravel::Error& error) {
  return dynamic_cast<const caravel::InvalidArgument*>(&error) != nullptr ||
         dynamic_cast<const caravel::FormatError*>(&error) != nullptr ||
         dynamic_cast<const caravel::Unsupported*>(&error) != nullptr;
}

/// An error of what the command line asks for is the command line's: it ends with 2.
int tell_error(CLI::App& program, const caravel::Error& error) {
  const std::optional<std::string> of_flag = caravel::cli::flag_problem(program, error.what());
  tell(of_flag.value_or(error.what() + caravel::cli::model_hint(program, error.what())));
  const bool is_usage = of_flag && is_of_what_was_asked(error);
  return is_usage ? caravel::cli::kUsageExitCode : caravel::cli::kFailedExitCode;
}

/// --help and --version.
int print_asked(CLI::App& program, const CLI::ParseError& error) {
  std::ostringstream text;
  const int code = program.exit(error, text, std::cerr);
  try {
    caravel::cli::OutputFile("-").write(text.str());
  } catch (const caravel::IoError& problem) {
    tell(problem.what());
    return caravel::cli::kFailedExitCode;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = caravel::sandbox::own_child_main(argc, argv)) return *status;
  caravel::occupy_standard_descriptors();
  // Each of malloc's arenas reserves 64 MiB of addresses.
  if (caravel::addresses_are_limited()) ::mallopt(M_ARENA_MAX, 2);
  CLI::App program("An LLM engine: paged KV cache, continuous batching, one binary.", "caravel");
  program.formatter(std::make_shared<caravel::cli::HelpText>());
  program.set_help_flag("-h,--help", "What there is");
  program.set_help_all_flag("--help-all", "And the engine's flags, with the variable of each flag");
  program.set_version_flag("--version", version_text(), "The version, and the instruction set in use");
  program.require_subcommand(1);
  program.fallthrough();
  std::string log_level = "warning";
  program.add_option("--log-level", log_level, "How much is told on stderr")
      ->transform(caravel::cli::one_of({"trace", "debug", "info", "warning", "error", "off"}));
  program.footer(
      "Ends with 0; 1 where a file, the model or a request failed; 2 where the command line, a variable or --config is "
      "wrong, and nothing was begun; 3 where rows of an input failed; 130 after ctrl-C.");
  int exit_code = 0;
  caravel::cli::add_serve(program);
  caravel::cli::add_generate(program, exit_code);
  caravel::cli::add_chat(program);
  caravel::cli::add_score(program, exit_code);
  caravel::cli::add_perplexity(program, exit_code);
  caravel::cli::add_embed(program, exit_code);
  caravel::cli::add_prospect(program, exit_code);
  caravel::cli::add_voyage(program, exit_code);
  caravel::cli::add_tokenize(program);
  caravel::cli::add_inspect(program);
  caravel::cli::add_bench(program);
  caravel::cli::add_completion(program);
  caravel::cli::add_man_page(program);

  caravel::cli::capture_defaults(program);
  const std::vector<std::string> arguments =
      caravel::cli::with_empty_values(program, caravel::cli::with_voyage_run(program, arguments_of(argc, argv)));
  const caravel::cli::Environment environment(program);
  program.parse_complete_callback([&] {
    caravel::cli::refuse_flags_as_values(program, arguments);
    environment.apply();
    caravel::log::init(log_level);
    environment.warn_of_unknown();
  });

  // A reader that closes the pipe is seen as EPIPE by the writer, which ends quietly.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that reaches `ulimit -f` is an error of its write, which is told.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    program.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // it takes them from the end
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0 && caravel::cli::foreign_short_flag(arguments).empty() &&
        !is_help_of_nothing(program, arguments)) {
      return print_asked(program, error);
    }
    tell(caravel::cli::usage_problem(program, error, arguments));
    return caravel::cli::kUsageExitCode;
  } catch (const caravel::cli::UsageError& error) {
    tell(error.what());
    return caravel::cli::kUsageExitCode;
  } catch (const caravel::cli::NothingKept& error) {
    tell(error.what());
    return caravel::cli::kInterruptedExitCode;
  } catch (const caravel::Error& error) {
    return tell_error(program, error);
  } catch (const std::bad_alloc&) {
    tell("out of memory; try a smaller --kv-cache-memory or --max-model-len");
    return caravel::cli::kFailedExitCode;
  } catch (const std::exception& error) {
    tell(fmt::format("internal error: {}", error.what()));
    return caravel::cli::kFailedExitCode;
  }
  return exit_code;
}
