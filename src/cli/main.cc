#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "device/cpu/isa.h"

namespace {

constexpr int kUsageExitCode = 2;

std::string version_text() {
  return fmt::format("caravel {}\nCPU instruction set: {}", CARAVEL_VERSION,
                     caravel::isa_name(caravel::available_isas().back()));
}

void tell(std::string_view error) { caravel::log::tell(spdlog::level::err, error); }

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("An LLM engine: paged KV cache, continuous batching, one binary.", "caravel");
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  program.fallthrough();
  std::string log_level = "warning";
  program.add_option("--log-level", log_level, "trace, debug, info, warning, error or off; to stderr")
      ->capture_default_str();
  program.parse_complete_callback([&] { caravel::log::init(log_level); });
  int exit_code = 0;
  caravel::cli::add_serve(program);
  caravel::cli::add_generate(program, exit_code);
  caravel::cli::add_chat(program);
  caravel::cli::add_score(program, exit_code);
  caravel::cli::add_tokenize(program);
  caravel::cli::add_inspect(program);
  caravel::cli::add_bench(program);

  // A reader that closes the pipe is seen as EPIPE by the writer, which ends quietly.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = program.exit(error);
    return code == 0 ? 0 : kUsageExitCode;
  } catch (const caravel::Error& error) {
    tell(error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    tell("out of memory; try a smaller --kv-cache-memory or --max-model-len");
    return 1;
  } catch (const std::exception& error) {
    tell(fmt::format("internal error: {}", error.what()));
    return 1;
  }
  return exit_code;
}
