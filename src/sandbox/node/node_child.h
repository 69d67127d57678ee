#pragma once

#include <string>
#include <vector>

namespace caravel::sandbox::node {

/// The command of a child (sandbox/child.h) that runs `script` with Node, both within `folder`, all absolute: by
/// node_child_main(). The child may have threads. `words`: what the script is given.
std::vector<std::string> node_command(const std::string& node, const std::string& folder, const std::string& script,
                                      const std::vector<std::string>& words);

/// What runs in the child before Node does: closes the process off as far as the system can (files.h, calls.h), and
/// becomes Node, whose own permissions let it read `folder` alone, and whose heap is bounded. Buffers are outside of
/// the heap: limits of the child's hold them. Returns the exit status where that fails.
int node_child_main(int argc, char** argv);

}  // namespace caravel::sandbox::node
