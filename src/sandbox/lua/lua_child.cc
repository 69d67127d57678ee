#include "sandbox/lua/lua_child.h"

#include <new>

#include "base/error.h"
#include "sandbox/lua/filter.h"
#include "sandbox/lua/libraries.h"
#include "sandbox/lua/program.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int kBridge = 3;
constexpr int64_t kParserInstructions = 1'000'000;  // none are run, but those that load an entry
constexpr size_t kParserMemory = 64 << 20;

Session* the_session = nullptr;  // of this process

void on_no_memory() { end_run(*the_session, "ended: the process has no memory left"); }

Session session_for(const Json& request, ParentLine& parent) {
  Session session{.parent = parent,
                  .instructions = kParserInstructions,
                  .instruction_limit = kParserInstructions,
                  .memory_limit = kParserMemory};
  if (!request.contains("run")) return session;
  const Json& run = request.at("run");
  session.instructions = session.instruction_limit = run.at("instructions").get<int64_t>();
  session.memory_limit = run.at("memory_bytes").get<size_t>();
  session.seed = run.at("seed").get<uint64_t>();
  session.calls = run.at("calls").get<std::vector<std::string>>();
  return session;
}

Json answer(Session& session, const Json& request) {
  if (request.contains("run")) return run_program(session, request.at("run"));
  return request.contains("load") ? load_program(session, request.at("load"))
                                  : parse_program(session, request.at("parse").get<std::string>());
}

}  // namespace

int lua_child_main() {
  ParentLine parent(kBridge);
  try {
    const Json request = parent.read();
    Session session = session_for(request, parent);
    the_session = &session;
    std::set_new_handler(on_no_memory);
    open_libraries(new_state(session));
    if (!allow_only(kBridge)) return 1;
    parent.finish(answer(session, request));
  } catch (const Json::exception&) {
    return 1;  // no such request
  } catch (const Error&) {
    return 1;  // limits within which not even the libraries can be opened
  }
}

}  // namespace caravel::sandbox::lua
