#pragma once

namespace caravel::sandbox::lua {

/// From here on this process may read and write the one descriptor `fd`, take and give back memory, ask for the time,
/// and end; any other system call kills it (SIGSYS). False: the kernel does not do it. Sanitizer builds, which make
/// other calls, go without.
bool allow_only(int fd);

}  // namespace caravel::sandbox::lua
