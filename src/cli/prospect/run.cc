#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/data.h"
#include "cli/prospect/report.h"
#include "cli/prospect/run_folder.h"
#include "cli/prospect/score.h"
#include "cli/prospect/select.h"
#include "cli/prospect/tasks.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

constexpr int64_t kDefaultTasks = 12;

struct Options {
  DataOptions data;
  std::string out = "prospect";
  std::string tasks;  // a file; empty: chosen from the data
  std::string task_columns;
  TaskChoice choice;
  EmbeddingOptions embeddings;
  ScoringOptions scoring;
  SelectionOptions selection;
};

void run_all(const Options& options, int& exit_code) {
  const nuggets::RowFile data = read_rows_aloud(options.data);
  EmbeddingOptions embeddings = options.embeddings;
  embeddings.threads = options.scoring.engine.threads;
  ScoringInput input{.data = data, .tasks = {}, .about = {{"data", describe_rows(data, options.data)}}};
  if (options.tasks.empty()) {
    TaskChoice choice = options.choice;
    if (choice.kmeans == 0 && choice.random == 0) choice.random = kDefaultTasks;
    std::string chosen;
    for (const size_t index : choose_tasks(data, choice, embeddings, options.scoring.seed)) {
      const nuggets::Row& row = data.rows()[index];
      input.tasks.push_back(row);
      chosen += data.text().substr(row.begin, row.end - row.begin);
    }
    const bool by_kmeans = choice.kmeans > 0;
    input.about["tasks"] = {{"from", "data"},
                            {by_kmeans ? "kmeans" : "random", by_kmeans ? choice.kmeans : choice.random},
                            {"seed", options.scoring.seed},
                            {"hash", content_hash(chosen)}};
    if (by_kmeans) input.about["tasks"]["embeddings"] = embeddings.file.empty() ? embeddings.model : embeddings.file;
  } else {
    const DataOptions of_tasks{.path = options.tasks, .columns = options.task_columns};
    const nuggets::RowFile tasks = read_rows_aloud(of_tasks);
    input.tasks = tasks.rows();
    input.about["tasks"] = describe_rows(tasks, of_tasks);
  }
  if (!score_into(options.out, input, options.scoring)) {
    exit_code = kInterruptedExitCode;
    return;
  }
  if (options.scoring.estimate) return;
  SelectionOptions selection = options.selection;
  if (!selection.has_rule()) {
    const ScoringOptions& scoring = options.scoring;
    selection.threshold = scoring.decide ? scoring.decide : scoring.race ? scoring.race : 0.5;
  }
  const Run run = read_run(options.out);
  select_from(options.out, run, data, options.data.path, selection, embeddings, {});
  log::tell(spdlog::level::info, fmt::format("{}: open it in a browser", report_run(options.out, run, data)));
}

}  // namespace

void add_prospect_run(CLI::App& prospect, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *prospect.add_subcommand("run", "All of it: choose the tasks, score, select, and write the report");
  options->data.add_to(command);
  command.add_option("-o,--out", options->out, "The run's folder; a run that was stopped goes on there")
      ->capture_default_str()
      ->check(not_empty());
  auto* tasks = command.add_option("--tasks", options->tasks, "The predefined tasks, in any of the forms of --data")
                    ->default_str("12 of the candidates, at random")
                    ->check(not_empty());
  command.add_option("--task-columns", options->task_columns, "As --columns, of --tasks")
      ->needs(tasks)
      ->check(not_empty())
      ->check(readable_by(nuggets::parse_columns));
  options->choice.add_to(command);
  for (const char* const flag : {"--kmeans", "--random"}) command.get_option(flag)->excludes(tasks);
  command.get_option("--random")->default_str("12 without --tasks and --kmeans");
  options->embeddings.add_to(command);
  options->selection.add_to(command);
  command.get_option("--threshold")->default_str("without --top and --top-k what --decide or --race has, else 0.5");
  options->scoring.add_to(command);
  command.callback([options, &exit_code] { run_all(*options, exit_code); });
}

}  // namespace caravel::cli
