#pragma once

namespace caravel::sandbox::node {

/// From here on this process, and what it becomes, can make no other process, no socket, no signal to another process,
/// and change no file: such calls fail (EPERM), and all others are made. Node makes too many to list what it may;
/// namespaces, limits and Landlock hold what this list does not know. False: the kernel does not do it. Sanitizer
/// builds, which make such calls, go without.
bool forbid_harm();

}  // namespace caravel::sandbox::node
