#pragma once

#include "sandbox/lua/parent_line.h"
#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {

/// {"parse": CODE}, as lua_child.h says; the session's own limits are those of the compiler.
Json parse_program(Session& session, const std::string& code);

/// {"load": entry}.
Json load_program(Session& session, const Json& entry);

/// {"run": request}: the last message. The session's state must have its libraries.
Json run_program(Session& session, const Json& request);

}  // namespace caravel::sandbox::lua
