#include "cli/voyage/voyage_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "base/byte_order_mark.h"
#include "base/error.h"
#include "base/file.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "cli/usage.h"
#include "voyager/skill_library.h"
#include "voyager/text_lines.h"

namespace caravel::cli {
namespace {

/// The parts between commas, as many as there are and one; none of nothing.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(voyager::trimmed(text.substr(0, comma)));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(voyager::trimmed(text));
  return parts;
}

constexpr const char* kBudgetForm = "give what ends the run, as in tokens=200000,minutes=30; also calls and cost";

template <typename Number>
void check_given_once(const std::string& budget, std::string_view name, Number before) {
  if (before != 0) throw fail<UsageError>("--budget {}: gives {} twice", budget, name);
}

/// What a run is begun with and keeps: given once.
constexpr const char* kOfTheBeginning[] = {
    "--rounds",     "--seed",       "--tasks",       "--goal",           "--goal-attempts", "--skills",
    "--prompts",    "--curriculum", "--without",     "--skills-shown",   "--embedder",      "--temperature",
    "--max-tokens", "--price",      "--llm-context", "--llm-extra-body", "--world"};
constexpr const char* kOfModels[] = {"--llm", "--llm-model", "--curriculum-llm", "--action-llm", "--critic-llm"};

}  // namespace

std::vector<std::string> read_tasks(const std::string& path) {
  const std::string content = read_input(path);
  if (!is_valid_utf8(content)) throw fail<UsageError>("--tasks {}: is no text in UTF-8", path);
  std::vector<std::string> tasks;
  for (const std::string_view whole : voyager::lines_of(without_byte_order_mark(content))) {
    const std::string_view line = voyager::trimmed(whole);
    if (!line.empty() && !line.starts_with('#')) tasks.emplace_back(line);
  }
  if (tasks.empty()) throw fail<UsageError>("--tasks {}: has no task; give one a line", path);
  return tasks;
}

voyager::Budget parse_budget(const std::string& text) {
  voyager::Budget budget;
  for (const std::string_view part : parts_of(text)) {
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    bool is_read = false;
    for (auto [of, whole] : {std::pair("tokens", &budget.tokens), std::pair("calls", &budget.calls)}) {
      if (name != of) continue;
      const auto number = parse_number<int64_t>(value);
      is_read = number && *number > 0;
      check_given_once(text, name, *whole);
      if (is_read) *whole = *number;
    }
    for (auto [of, real] : {std::pair("minutes", &budget.minutes), std::pair("cost", &budget.cost)}) {
      if (name != of) continue;
      const auto number = parse_number<double>(value);
      is_read = number && std::isfinite(*number) && *number > 0;
      check_given_once(text, name, *real);
      if (is_read) *real = *number;
    }
    if (!is_read) throw fail<UsageError>("--budget {}: '{}' is none; {}", text, part, kBudgetForm);
  }
  return budget;
}

void VoyageOptions::add_to(CLI::App& command) {
  command_ = &command;
  const char* const run = "Run";
  command.add_option("-o,--out", out, "The run's folder")->capture_default_str()->check(not_empty())->group(run);
  auto* resumes =
      command.add_flag("--resume", resume, "Go on with the run that is there, by what it was begun with")->group(run);
  command
      .add_option("--replay", replay,
                  "Another run's folder: run it again by the answers of its record, without a model, into --out")
      ->check(not_empty())
      ->excludes(resumes)
      ->group(run);
  command.add_option("--iterations", agent_.iterations, "Tasks, at most")
      ->transform(whole_number(1, 1'000'000'000))
      ->default_str(fmt::format("{}; 8 of the default MODEL", agent_.iterations))
      ->group(run);
  command
      .add_option(
          "--budget", budget_,
          "What ends the run before its tasks do: tokens=200000,calls=500,minutes=30,cost=2; minutes are of one "
          "process, the others of the whole run")
      ->default_str("no bound")
      ->check(not_empty())
      ->group(run);
  command.add_option("--seed", agent_.seed, "Of the world, and of what is drawn")
      ->transform(seed_number())
      ->capture_default_str()
      ->group(run);
  command
      .add_option(
          "--world", world,
          "Where the agent is: mini, the embedded world; minecraft, a server of that protocol, which is started "
          "(scripts/install_packages --world minecraft); HOST:PORT, one that runs, of 1.19.2 in offline mode")
      ->check(not_empty())
      ->capture_default_str()
      ->group(run);
  command
      .add_option("--clock", clock,
                  "Seconds of --world minecraft to one of ours, 0.1 to 50: as fast as the machine keeps up with")
      ->check(number_in({.low = 0.1, .high = 50}))
      ->default_str("10")
      ->group(run);
  command.add_flag("--plain", plain, "Lines on stderr in place of the live view")->group(run);

  const char* const agent = "Agent";
  auto* goal = command.add_option("--goal", agent_.goal, "A goal, which is decomposed into tasks")
                   ->check(not_empty())
                   ->group(agent);
  command.add_option("--goal-attempts", agent_.goal_attempts, "Decompositions, after which the goal is given up")
      ->transform(whole_number(1, 1000))
      ->group(agent);
  auto* tasks = command.add_option("--tasks", tasks_file_, "A file of tasks, one a line, in place of the curriculum")
                    ->check(not_empty())
                    ->excludes(goal)
                    ->group(agent);
  command
      .add_option("--curriculum", curriculum_,
                  "Who proposes tasks: automatic, a model; random, a draw among all items that can be had")
      ->transform(one_of({"automatic", "random"}))
      ->excludes(goal)
      ->excludes(tasks)
      ->group(agent);
  command.add_option("--skills", skills_folder_, "A folder of skills to begin with, such as RUN/skills")
      ->check(not_empty())
      ->group(agent);
  command.add_option("--prompts", prompts_folder_, "A folder of prompts in place of some of the program's own")
      ->check(not_empty())
      ->group(agent);
  command.add_option("--rounds", agent_.rounds, "Of code for one task, at most")
      ->transform(whole_number(1, 1000))
      ->group(agent);
  command.add_option("--skills-shown", agent_.skills_shown, "Skills that a prompt for code shows, at most")
      ->transform(whole_number(0, 1000))
      ->group(agent);
  command
      .add_option("--without", without_,
                  "Parts that are left out, as in the paper's ablations: skills, critic, feedback, or several of them "
                  "with commas")
      ->check(not_empty())
      ->group(agent);
  models.add_to(command);
}

voyager::AgentConfig VoyageOptions::agent_config() const {
  voyager::AgentConfig config = agent_;
  if (!tasks_file_.empty()) config.tasks = read_tasks(tasks_file_);
  if (!config.goal.empty() && voyager::trimmed(config.goal).empty())
    throw UsageError("--goal: is blank; say what is to be reached");
  if (!is_valid_utf8(config.goal)) throw UsageError("--goal: is no text in UTF-8");
  config.random_curriculum = curriculum_ == "random";
  for (const std::string_view part : parts_of(without_)) {
    if (part == "skills") {
      config.skill_library = false;
    } else if (part == "critic") {
      config.critic = false;
    } else if (part == "feedback") {
      config.feedback = false;
    } else {
      throw fail<UsageError>("--without {}: '{}' is no part; there are skills, critic, feedback", without_, part);
    }
  }
  if (!skills_folder_.empty()) {
    if (!config.skill_library) throw UsageError("--skills gives skills, and --without skills leaves them out");
    const std::filesystem::path inner = std::filesystem::path(skills_folder_) / "skills";
    if (!is_there(std::filesystem::path(skills_folder_) / "skills.json") && is_there(inner / "skills.json")) {
      throw fail<UsageError>("--skills {}: is the folder of a run; its skills are in {}", skills_folder_,
                             inner.string());
    }
    config.skills = voyager::import_skills(skills_folder_);
  }
  return config;
}

std::optional<int64_t> VoyageOptions::more_iterations() const {
  if (command_->get_option("--iterations")->count() == 0) return std::nullopt;
  return agent_.iterations;
}

voyager::Budget VoyageOptions::budget() const { return parse_budget(budget_); }

voyager::Prompts VoyageOptions::prompts() const {
  return prompts_folder_.empty() ? voyager::Prompts() : voyager::Prompts(prompts_folder_);
}

void VoyageOptions::check_flags_of_a_record() const {
  if (!resume && replay.empty()) return;
  const char* const what = resume ? "--resume goes on by what the run was begun with"
                                  : "--replay goes by what the run was begun with, and asks no model";
  const auto refuse = [&](const char* flag) {
    if (command_->get_option(flag)->count() > 0) throw fail<UsageError>("{}: leave {} out", what, flag);
  };
  for (const char* const flag : kOfTheBeginning) refuse(flag);
  if (resume) return;
  for (const char* const flag : kOfModels) refuse(flag);
  refuse("--model");
}

}  // namespace caravel::cli
