#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::sandbox {

/// The command of this program's own child for a language: itself, by /proc/self/exe. `name`: "lua", "node".
std::vector<std::string> own_child(std::string_view name);

/// To be called first in main(): does a child's work where the command line is one of own_child()'s, and gives the exit
/// status. Nothing: it is another.
std::optional<int> own_child_main(int argc, char** argv);

}  // namespace caravel::sandbox
