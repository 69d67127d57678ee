#include "cli/flags.h"
#include "cli/prospect/data.h"
#include "cli/prospect/scoring.h"
#include "cli/usage.h"
#include "nuggets/select.h"

namespace caravel::cli {

void ScoringOptions::add_to(CLI::App& command) {
  command
      .add_option("--template", shot_template,
                  "How an example and a task become a prompt: chat, by the model's chat template; alpaca, in the "
                  "paper's words; or a file of named components (docs/nuggets.md)")
      ->default_str("chat where the model has a template, else alpaca")
      ->check(not_empty());
  command
      .add_option_function<std::string>(
          "--compat", [this](const std::string& what) { original = what == "original"; },
          "original: as the published code does, answers are cut at 200 tokens, and a token that begins texts stands "
          "before the example alone")
      ->transform(one_of({"original"}))
      ->default_str("as the paper describes it");
  command.add_option("--seed", seed, "Of what is drawn: the order of the tasks, and where they are chosen, which")
      ->transform(seed_number())
      ->capture_default_str();
  auto* rules = command.add_option_group("Work not done");
  auto* settle = rules
                     ->add_option("--decide", decide,
                                  "A threshold: a candidate is done once its score is on one side of it whatever the "
                                  "tasks that are left say. Exact for this threshold; other thresholds are not")
                     ->check(number_in({0, 1}))
                     ->default_str("none");
  auto* race_flag = rules
                        ->add_option("--race", race,
                                     "A threshold: a candidate is done once the tasks seen say on which side of it the "
                                     "score lies, wrongly with the probability of --risk")
                        ->check(number_in({0, 1}))
                        ->default_str("none")
                        ->excludes(settle);
  rules->add_option("--risk", risk, "What --race may get wrong, of each candidate")
      ->check(number_in({.low = 0, .high = 0.5, .above = true}))
      ->capture_default_str()
      ->needs(race_flag);
  rules
      ->add_option("--halving", halving,
                   "How many are wanted: few tasks for all candidates, twice as many for the better half, and so on; "
                   "without a bound on what it misses")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("none")
      ->excludes(settle)
      ->excludes(race_flag);
  auto* sieve_flag =
      rules->add_option("--sieve", sieve, "A small model that scores first; MODEL scores the best of them alone")
          ->check(not_empty());
  rules->add_option("--sieve-keep", sieve_keep, "The share of the candidates that the sieve leaves")
      ->capture_default_str()
      ->check(readable_by(nuggets::parse_share))
      ->needs(sieve_flag);
  command.add_option("--store", store, "Where scores are kept, for several runs to share")
      ->default_str("scores.db in the run's folder")
      ->check(not_empty());
  command.add_flag("--estimate", estimate,
                   "Say how many tokens, how long, and how much memory it takes; some seconds of it are done for that");
  command.add_flag("--details", details, "Also write details.jsonl, a line for each candidate and task");
  command.add_flag("!--no-baselines", baselines, "Leave out perplexity and IFD, which take a little more work");
  add_engine_flags(command, engine);
}

}  // namespace caravel::cli
