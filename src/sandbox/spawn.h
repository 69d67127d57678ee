#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sandbox/child.h"

namespace caravel::sandbox {

struct Spawned {
  pid_t pid = -1;
  int socket = -1;  // this side's end, which does not block; closed on exec
};

/// Starts a command as child.h says, in namespaces of its own for users, processes, network and IPC where the system
/// lets it. Whoever calls it reaps the process and closes the socket. Throws IoError.
Spawned spawn_apart(const std::vector<std::string>& command, const Limits& limits, int given = -1);

}  // namespace caravel::sandbox
