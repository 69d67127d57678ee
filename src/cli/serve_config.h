#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace caravel::cli {

/// Gives `command` the flags that a YAML file holds: its keys are flags without their dashes ("max-num-seqs", or
/// "max_num_seqs"; "model" is MODEL), its values theirs: a list for a flag that may be repeated, an object for one that
/// takes JSON. What the command line or the environment gave already stays, and the file's value is checked all the
/// same. Call it when they are read. Throws UsageError, with the file's line: it cannot be read, no YAML, more than one
/// document, a key that no flag has or that stands there twice or without a value, a value that the flag refuses.
void apply_config_file(CLI::App& command, const std::string& path);

}  // namespace caravel::cli
