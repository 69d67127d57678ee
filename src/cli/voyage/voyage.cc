#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "cli/voyage/run_files.h"
#include "cli/voyage/run_voyage.h"
#include "voyager/prompts.h"
#include "voyager/report.h"

namespace caravel::cli {
namespace {

using voyager::RunStore;

constexpr const char* kNameOne = "name the folder of one, which has a voyage.db";

/// Another page may be written over, but for a run's own.
void check_takes_page(const std::string& path) {
  holds_own(path, {"<!doctype html>"}, "page");
  std::error_code unknown;
  std::filesystem::path page = std::filesystem::weakly_canonical(path, unknown);  // of a link: what it leads to
  if (unknown) page = path;
  if (page.filename() != kVoyageReport || !holds_run((page.parent_path() / ".").string())) return;
  throw fail<UsageError>("--out {}: is the place of a run's own page; give another name", path);
}

void add_run(CLI::App& voyage, int& exit_code) {
  auto options = std::make_shared<VoyageOptions>();
  CLI::App& command =
      *voyage.add_subcommand("run", "Explore: propose tasks, write code for them, keep what works as skills");
  options->add_to(command);
  command.callback([options, &exit_code] { exit_code = run_voyage(*options); });
}

void add_compare(CLI::App& voyage) {
  struct Options {
    std::vector<std::string> runs;
    std::string out;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *voyage.add_subcommand("compare", "Set runs side by side: items, tiers, cost, the critic's accuracy");
  command.add_option("RUN", options->runs, "The folders of runs")->required()->check(not_empty());
  command.add_option("-o,--out", options->out, "Where a page of the same goes")
      ->default_str("none")
      ->check(not_empty());
  command.callback([options] {
    if (!options->out.empty()) check_takes_page(options->out);
    std::vector<std::unique_ptr<RunStore>> stores;
    std::vector<voyager::ComparedRun> compared;
    for (const std::string& run : options->runs) {
      check_holds_run(run, kNameOne);
      stores.push_back(std::make_unique<RunStore>(run, RunStore::Open::kReading));
      compared.push_back({.name = run, .run = stores.back().get()});
    }
    OutputFile("-").write(voyager::compare_text(compared));
    if (!options->out.empty()) replace_file(options->out, voyager::compare_page(compared));
  });
}

void add_report(CLI::App& voyage) {
  auto folder = std::make_shared<std::string>();
  CLI::App& command =
      *voyage.add_subcommand("report", "Write a run's page, map, skills and lists anew, as after one that was killed");
  command.add_option("RUN", *folder, "The run's folder")->required()->check(not_empty());
  command.callback([folder] {
    check_holds_run(*folder, kNameOne);
    write_run_files(*folder, RunStore(*folder, RunStore::Open::kReading));
  });
}

void add_prompts(CLI::App& voyage) {
  auto folder = std::make_shared<std::string>();
  CLI::App& command =
      *voyage.add_subcommand("prompts", "Write the program's prompts as files, to be edited for run --prompts");
  command.add_option("DIR", *folder, "Where they go")->required()->check(not_empty());
  command.callback([folder] {
    voyager::Prompts::write_files(*folder);
    log::tell(spdlog::level::info,
              fmt::format("{}: the prompts; caravel voyage --prompts {} goes by them", *folder, *folder));
  });
}

}  // namespace

void add_voyage(CLI::App& program, int& exit_code) {
  CLI::App& voyage = *program.add_subcommand(
      "voyage",
      "An agent that explores an open world and keeps what it learns (Voyager); caravel voyage alone is caravel voyage "
      "run");
  voyage.require_subcommand(1);
  add_run(voyage, exit_code);
  add_compare(voyage);
  add_report(voyage);
  add_prompts(voyage);
}

}  // namespace caravel::cli
