#pragma once

#include <CLI/CLI.hpp>

namespace caravel::cli {

/// Each adds its subcommand to the program; what runs is its callback, which throws caravel::Error (main prints it) and
/// sets `exit_code` where the end is neither success nor an error (130: interrupted).
void add_generate(CLI::App& program, int& exit_code);
void add_chat(CLI::App& program);
void add_score(CLI::App& program, int& exit_code);
void add_perplexity(CLI::App& program, int& exit_code);
void add_embed(CLI::App& program, int& exit_code);
void add_prospect(CLI::App& program, int& exit_code);
void add_voyage(CLI::App& program, int& exit_code);
void add_tokenize(CLI::App& program);
void add_inspect(CLI::App& program);
void add_bench(CLI::App& program);
void add_serve(CLI::App& program);

// Hidden in --help: what `make install` runs. They show the commands that were added before.
void add_completion(CLI::App& program);
void add_man_page(CLI::App& program);

}  // namespace caravel::cli
