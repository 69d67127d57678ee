#include "cli/voyage/run_voyage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/shell_quotes.h"
#include "cli/usage.h"
#include "cli/voyage/open_models.h"
#include "cli/voyage/plain_log.h"
#include "cli/voyage/run_files.h"
#include "cli/voyage/terminal_view.h"
#include "cli/voyage/voyage_status.h"
#include "voyager/agent.h"
#include "voyager/recalled_model.h"
#include "voyager/recorded_model.h"

namespace caravel::cli {
namespace {

using voyager::RunStore;

constexpr const char* kNothingBegun = "interrupted before anything was begun";
constexpr int64_t kDefaultModelIterations = 8;  // each takes minutes

/// All that a run is begun or gone on with, but for the models.
struct Plan {
  voyager::AgentConfig config;
  voyager::Prompts prompts;
  voyager::Budget budget;
  ModelSettings settings;              // not of a replay
  std::unique_ptr<RunStore> replayed;  // nullptr: none is
  std::unique_ptr<voyager::Environment> world;
};

/// A budget of money is one of prices.
void check_cost(const Plan& plan) {
  const voyager::Prices& prices = plan.settings.prices;
  if (plan.budget.cost == 0 || prices.input > 0 || prices.output > 0) return;
  throw UsageError("--budget cost: nothing has a price; --price 0.15,0.60 says what a million tokens cost");
}

Plan plan_new(const VoyageOptions& options) {
  Plan plan;
  plan.prompts = options.prompts();
  plan.budget = options.budget();
  plan.world = open_world(options.world, options.clock);
  plan.config = options.agent_config();
  plan.settings = options.models.settings(plan.config.seed);
  check_cost(plan);
  check_begins(options.out);
  const bool is_open_end = plan.config.tasks.empty() && plan.config.goal.empty() && !options.more_iterations();
  if (is_open_end && plan.settings.uses_default_model()) {
    plan.config.iterations = kDefaultModelIterations;
    log::tell(spdlog::level::info,
              fmt::format("{} tasks: a model of 135M parameters reaches little; --llm URL takes a larger one, "
                          "--iterations N is for more",
                          kDefaultModelIterations));
  }
  return plan;
}

/// By what a record was begun with.
Plan plan_by(const RunStore& record, const VoyageOptions& options) {
  const Json setup = record.setup();
  Plan plan;
  plan.prompts = voyager::Prompts::from(setup.at("prompts"));
  plan.budget = options.budget();
  if (plan.budget == voyager::Budget()) plan.budget = voyager::budget_from(setup.value("budget", Json()));
  plan.config = voyager::agent_config_from(setup.at("agent"));
  plan.config.models = setup.at("models");
  const Json& world = setup.at("world");
  const bool has_clock = world.at("name") == "minecraft" && world.contains("clock");
  const std::optional<double> begun = has_clock ? std::optional(world.at("clock").get<double>()) : std::nullopt;
  plan.world = open_world(world.at("name").get<std::string>(), options.clock ? options.clock : begun);
  return plan;
}

/// The number of the last task that was begun; 0: none.
int64_t last_iteration(const RunStore& record) {
  const auto last = record.last_iteration();
  return last ? last->number : 0;
}

Plan plan_resumed(const VoyageOptions& options) {
  check_holds_run(options.out, "without --resume one begins");
  const RunStore record(options.out, RunStore::Open::kReading);
  Plan plan = plan_by(record, options);
  if (const auto most = options.more_iterations()) {
    if (const int64_t last = last_iteration(record); *most < last) {
      throw fail<UsageError>("--iterations {}: the run has come to task {} already; give as many, or more", *most,
                             last);
    }
    plan.config.iterations = *most;
  }
  plan.settings = model_settings_from(plan.config.models);
  check_cost(plan);
  if (!options.models.names_models()) return plan;
  // The server has moved, or another one is to answer from here on; vectors stay those of one model.
  const ModelSettings given = options.models.settings(plan.config.seed);
  plan.settings.curriculum = given.curriculum;
  plan.settings.action = given.action;
  plan.settings.critic = given.critic;
  if (plan.settings.embedder.kind == EmbedderChoice::Kind::kEndpoint && !given.curriculum.llm.empty()) {
    plan.settings.embedder.model.llm = given.curriculum.llm;
  }
  return plan;
}

Plan plan_replayed(const VoyageOptions& options) {
  check_holds_run(options.replay, "--replay takes the folder of one, which has a voyage.db");
  auto record = std::make_unique<RunStore>(options.replay, RunStore::Open::kReading);
  Plan plan = plan_by(*record, options);
  // A run may have gone on to more than it was begun with.
  plan.config.iterations = std::max(plan.config.iterations, last_iteration(*record));
  plan.config.iterations = options.more_iterations().value_or(plan.config.iterations);
  for (voyager::SkillRow& skill : record->skills()) {
    if (skill.iteration == 0) plan.config.skills.push_back(std::move(skill));
  }
  plan.replayed = std::move(record);
  check_begins(options.out);
  return plan;
}

Plan make_plan(const VoyageOptions& options) {
  options.check_flags_of_a_record();
  if (options.resume) return plan_resumed(options);
  return options.replay.empty() ? plan_new(options) : plan_replayed(options);
}

/// As a person can paste it into a shell.
std::string resume_command(std::string folder) {
  if (folder.starts_with('-')) folder = "./" + folder;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+:,").find(c) != std::string_view::npos;
  };
  const std::string word = std::ranges::all_of(folder, is_plain) ? folder : in_shell_quotes(folder);
  return fmt::format("caravel voyage --out {} --resume", word);
}

void tell_models(const voyager::Models& models) {
  std::string names = fmt::format("the curriculum is {}, the action {}, the critic {}", models.curriculum->name(),
                                  models.action->name(), models.critic->name());
  if (models.curriculum == models.action && models.action == models.critic) {
    names = fmt::format("{} answers", models.curriculum->name());
  }
  log::tell(spdlog::level::info, fmt::format("{}; {} finds skills", names, models.embedder->name()));
}

int64_t most_tasks(const voyager::AgentConfig& config) {
  return config.tasks.empty() ? config.iterations : std::min<int64_t>(config.iterations, std::ssize(config.tasks));
}

void tell_end(const voyager::Ending& ending, const VoyageStatus& status, const std::string& folder, bool goes_on) {
  log::tell(spdlog::level::info, ending.text);
  log::tell(spdlog::level::info, fmt::format("{} of {} tasks done; {}; {}", status.done, status.done + status.failed,
                                             status.reached(), status.spent()));
  log::tell(spdlog::level::info,
            fmt::format("{}: open it in a browser", (std::filesystem::path(folder) / kVoyageReport).string()));
  if (!goes_on) return;
  const bool is_used_up = ending.kind == voyager::Ending::Kind::kBudget && !ending.is_of_process;
  log::tell(spdlog::level::info, fmt::format("what was done is kept; {} goes on{}", resume_command(folder),
                                             is_used_up ? ", with a larger --budget of tokens, calls or cost" : ""));
}

std::unique_ptr<voyager::Watcher> make_watcher(const VoyageOptions& options, InterruptGuard& guard,
                                               VoyageStatus& status, const std::string& last_words) {
  guard.set_last_words(STDERR_FILENO, last_words.c_str());
  if (options.plain || !TerminalView::is_possible()) {
    guard.set_first_words("caravel: ends with what is under way; ctrl-C again ends at once\n");
    return std::make_unique<PlainLog>(status);
  }
  return std::make_unique<TerminalView>(guard, status, options.out, last_words);
}

voyager::Ending run_agent(Plan& plan, const voyager::Models& models, RunStore& store, voyager::Watcher& watcher,
                          const InterruptGuard& guard) {
  // The agent's thread is the program's only one that a person waits for: it gives way to none. What is written at the
  // end is outside of the scope.
  const InterruptScope scope(guard.flag(), /*gives_way=*/false);
  voyager::Agent agent(plan.config, plan.budget, *plan.world, models, plan.prompts, store, watcher);
  return agent.run();
}

int exit_code_of(const voyager::Ending& ending, bool is_interrupted) {
  using Kind = voyager::Ending::Kind;
  // Where nobody interrupted it, it is a replay whose record ends before the run did.
  if (ending.kind == Kind::kInterrupted) return is_interrupted ? kInterruptedExitCode : kFailedExitCode;
  return ending.kind == Kind::kGoalGivenUp ? kFailedExitCode : 0;
}

}  // namespace

int run_voyage(const VoyageOptions& options) {
  Plan plan = make_plan(options);
  const std::string last_words =
      plan.replayed != nullptr
          ? "caravel: ended at once\n"
          : fmt::format("caravel: ended at once; what was done is kept: {} goes on, if the run had begun\n",
                        resume_command(options.out));
  InterruptGuard guard({SIGINT, SIGTERM, SIGHUP});
  std::optional<OpenModels> opened;
  try {
    const InterruptScope scope(guard.flag(), /*gives_way=*/false);
    if (plan.replayed == nullptr) opened.emplace(plan.settings, options.models);
    check_interrupt_now();
  } catch (const Interrupted&) {
    throw NothingKept(kNothingBegun);
  }
  if (opened && !options.resume) {
    plan.config.models = to_json(plan.settings);
    plan.config.prompt_bytes = opened->prompt_bytes();
  }
  RunStore store(options.out, RunStore::Open::kWriting);
  std::optional<voyager::RecordedModels> recorded;
  std::optional<voyager::RecalledModels> recalled;
  if (plan.replayed != nullptr && plan.world->description().repeats_itself) recorded.emplace(*plan.replayed, 0);
  if (plan.replayed != nullptr && !plan.world->description().repeats_itself) {
    recalled.emplace(*plan.replayed, store);
    log::tell(spdlog::level::info,
              "this world is not the same twice: each task gets the answers that it had, whatever is asked now");
  }
  const voyager::Models models = opened ? opened->models() : recorded ? recorded->models() : recalled->models();
  VoyageStatus status(store, plan.world->description(), most_tasks(plan.config));
  tell_models(models);
  std::unique_ptr<voyager::Watcher> watcher = make_watcher(options, guard, status, last_words);
  voyager::Ending ending;
  try {
    ending = run_agent(plan, models, store, *watcher, guard);
  } catch (const voyager::ModelError& error) {
    write_run_files(options.out, store);
    throw fail<voyager::ModelError>("{}; what was done is kept: {} goes on", error.what(), resume_command(options.out));
  }
  if (store.setup().is_null()) throw NothingKept(kNothingBegun);
  const bool is_interrupted = guard.interrupted();
  // A record that ends early ended for a reason, which is this run's too.
  if (plan.replayed != nullptr && ending.kind == voyager::Ending::Kind::kInterrupted && !is_interrupted) {
    store.put_ending(plan.replayed->ending());
  }
  write_run_files(options.out, store);
  watcher.reset();  // after the files: a terminal that takes nothing more is waited for
  const bool goes_on = plan.replayed == nullptr && (ending.kind == voyager::Ending::Kind::kBudget || is_interrupted);
  tell_end(ending, status, options.out, goes_on);
  return exit_code_of(ending, is_interrupted);
}

}  // namespace caravel::cli
