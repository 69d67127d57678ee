#pragma once

#include <string>

namespace caravel::sandbox::node {

/// From here on this process, and what it becomes, may read files in `folder` and the system's libraries, and no
/// others, and write to none; it makes no connection by TCP, and reaches no process outside of it by signals or
/// abstract sockets, as far as the kernel's Landlock knows of these. False: the kernel does not do it.
bool read_only_within(const std::string& folder);

}  // namespace caravel::sandbox::node
