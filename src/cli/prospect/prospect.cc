#include "cli/commands.h"
#include "cli/prospect/commands.h"

namespace caravel::cli {

void add_prospect(CLI::App& program, int& exit_code) {
  CLI::App& prospect =
      *program.add_subcommand("prospect", "Find the instruction examples that are worth training on (Nuggets)");
  prospect.require_subcommand(1);
  add_prospect_run(prospect, exit_code);
  add_prospect_tasks(prospect);
  add_prospect_score(prospect, exit_code);
  add_prospect_merge(prospect);
  add_prospect_select(prospect);
  add_prospect_report(prospect);
}

}  // namespace caravel::cli
