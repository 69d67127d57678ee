#include "sandbox/lua/session.h"

#include <cstdlib>

#include "base/error.h"
#include "sandbox/lua/frames.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int kHookEvery = 1000;  // instructions
constexpr size_t kLongString = 64 << 10;

void on_count(lua_State* L, lua_Debug* /*where*/) { charge(L, kHookEvery); }

/// Names the entry of the library whose loading it ended: what runs without it may go on.
Json ended(const Session& session, std::string_view message) {
  Json failed = failure(session, message, true);
  if (!session.loading.empty()) failed["failed"]["entry"] = session.loading;
  return failed;
}

std::string refusal(const Session& session) {
  constexpr int kDeep = 10'000;
  lua_Debug ignored;
  if (lua_getstack(session.running.back(), kDeep, &ignored) != 0)
    return fmt::format("ended: functions call each other more than {} deep: does a recursion never end?", kDeep);
  return fmt::format("ended: it needs more than the {} MiB of memory that it may have", session.memory_limit >> 20);
}

/// Lua's core asks again after it has collected what it can, so the second refusal in a row is the last; its string
/// buffers do not, and raise an error at once (end_if_full()).
void* allocate(void* data, void* block, size_t old_size, size_t size) {
  Session& session = *static_cast<Session*>(data);
  // It says what a new block is for. Whatever makes a long string (`..` for one) copies it where no hook sees that.
  if (block == nullptr && old_size == LUA_TSTRING && size >= kLongString)
    charge(session, static_cast<int64_t>(size) / kBytesPerInstruction);
  if (block == nullptr) old_size = 0;
  if (size == 0) {
    session.memory -= old_size;
    std::free(block);
    return nullptr;
  }
  void* grown = nullptr;
  if (size <= old_size || session.memory - old_size + size <= session.memory_limit) grown = std::realloc(block, size);
  if (grown == nullptr) {
    if (session.was_full) session.parent.finish(session.refusal);
    session.refusal = ended(session, refusal(session));
    session.was_full = true;
    return nullptr;
  }
  if (size > old_size) session.was_full = false;
  session.memory += size - old_size;
  return grown;
}

}  // namespace

Session& session_of(lua_State* L) { return **static_cast<Session**>(lua_getextraspace(L)); }

lua_State* new_state(Session& session) {
  lua_State* const L = lua_newstate(allocate, &session);
  if (L == nullptr) throw fail<CapacityError>("Lua does not start within {} bytes", session.memory_limit);
  *static_cast<Session**>(lua_getextraspace(L)) = &session;
  lua_sethook(L, on_count, LUA_MASKCOUNT, kHookEvery);  // every coroutine has it from the one that makes it
  session.running.assign(1, L);
  return L;
}

void charge(Session& session, int64_t instructions) {
  if (instructions <= session.instructions) {
    session.instructions -= instructions;
    return;
  }
  if (!session.loading.empty())
    end_run(session,
            fmt::format("what stands outside of its functions does not end within {} instructions", kLoadInstructions));
  end_run(session, fmt::format("ended after {} instructions: does a loop never end?", session.instruction_limit));
}

void end_run(Session& session, std::string_view message) { session.parent.finish(ended(session, message)); }

void end_if_full(lua_State* L, int status) {
  Session& session = session_of(L);
  if (status == LUA_ERRMEM) session.parent.finish(session.refusal);
}

}  // namespace caravel::sandbox::lua
