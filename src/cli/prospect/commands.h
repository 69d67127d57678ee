#pragma once

#include <CLI/CLI.hpp>

namespace caravel::cli {

// The commands of `caravel prospect`.
void add_prospect_tasks(CLI::App& prospect);
void add_prospect_score(CLI::App& prospect, int& exit_code);
void add_prospect_merge(CLI::App& prospect);
void add_prospect_select(CLI::App& prospect);
void add_prospect_report(CLI::App& prospect);
void add_prospect_run(CLI::App& prospect, int& exit_code);

}  // namespace caravel::cli
