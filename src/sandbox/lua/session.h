#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/lua/parent_line.h"

namespace caravel::sandbox::lua {

/// The one run of this process: what it may still take, and where it is. Every coroutine of its state leads to it.
struct Session {
  ParentLine& parent;
  int64_t instructions;       // left; of all coroutines together
  int64_t instruction_limit;  // what that was at first
  size_t memory_limit;        // bytes, of the state
  size_t memory = 0;          // in use
  bool was_full = false;      // the last growth was refused,
  Json refusal = {};          // as end_run() tells it; that is where it was refused
  uint64_t seed = 0;
  std::vector<std::string> calls = {};   // the player's
  std::vector<lua_State*> running = {};  // coroutines that wait for the next in the list; the last one runs
  bool may_act = false;                  // the code is loaded: it may call the player's methods
  std::string loading = {};              // the entry of the library that is; empty: none
};

Session& session_of(lua_State* L);

/// A state without libraries, held to the session's limits, which must outlive it. Never closed: the process ends with
/// it.
lua_State* new_state(Session& session);

/// Counts work that no hook sees as so many instructions.
void charge(Session& session, int64_t instructions);
inline void charge(lua_State* L, int64_t instructions) { charge(session_of(L), instructions); }

/// Of a string that is gone through or copied.
inline constexpr int64_t kBytesPerInstruction = 64;

/// What raising an error and stopping it takes.
inline constexpr int64_t kErrorPrice = 200;

/// What an entry of the library may take to be loaded: it defines functions.
inline constexpr int64_t kLoadInstructions = 20'000;

/// Ends the run, and the process: `message` is told with the line that was reached, and with the entry of the library
/// that is being loaded. No pcall can hold it up.
[[noreturn]] void end_run(Session& session, std::string_view message);

/// To be asked of whatever stops an error: one of memory ends the run as end_run() does.
void end_if_full(lua_State* L, int status);

/// What `text` says went wrong, with where it did, as {"failed": ...}.
Json failure(const Session& session, std::string_view text, bool killed);

}  // namespace caravel::sandbox::lua
