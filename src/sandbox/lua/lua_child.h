#pragma once

namespace caravel::sandbox::lua {

/// What runs in the child: one line is read from descriptor 3, answered as it says, and the process ends. From then on
/// it makes no system call but for that socket and memory.
///   {"parse": CODE}
///     -> {"parsed": {"main", "functions", "calls"}} (code_scan.h), or {"failed": ...} of its syntax, or of the name of
///     its main
///   {"load": {"name", "code"}}
///     -> {"loaded": true}, or {"failed": ...} where code beside its functions does not end soon, or the name is taken.
///   {"run": {"code", "main", "library": [{"name", "code"}...], "calls": [NAME...], "seed", "instructions",
///            "memory_bytes"}}
///     -> any number of {"call": NAME, "args": [...]}, each answered by {"value": ...}, {"error": TEXT}, or
///        {"end": TEXT}, which ends the run;
///     -> {"done": true} or {"failed": {"message", "where", "line", "trace", "killed"}}, as voyager::CodeError.
/// `code` defines functions, of which `main` is called with the player, an object with a method for each of `calls`.
/// Each entry of the library is code of the same kind, whose function `name` all others see; an earlier one stays
/// where a later one has its name. What stands beside its functions has few instructions of its own; where they, or the
/// memory, end there, {"failed"} has its name as "entry", and nothing was called. An entry with "missing": TEXT in
/// place of code is a function that says why it cannot be used.
///
/// Returns the exit status: 1 where the filter of system calls cannot be set, or the parent does not keep to this.
int lua_child_main();

}  // namespace caravel::sandbox::lua
