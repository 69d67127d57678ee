#pragma once

#include <CLI/CLI.hpp>

namespace caravel::cli {

/// Adds `serve` to `bench`: load on a running OpenAI-compatible server, and what its clients see.
void add_bench_serve(CLI::App& bench);

}  // namespace caravel::cli
